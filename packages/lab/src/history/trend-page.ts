import { type MetricName, metrics } from "../compare/metrics.ts";
import { type RenderedChart, renderChart } from "../report/charts/render.ts";
import { dateTime } from "../report/format.ts";
import { html } from "../report/html.ts";
import { renderPage, type Section } from "../report/page/page.ts";
import { figure, table } from "../report/page/parts.ts";
import { fewestBlocks } from "../statistics/blocks.ts";
import { changesBefore, type Trend, trendHeadline } from "./trend.ts";
import { trendChart } from "./trend-chart.ts";

/** The figures that a trend shows. */
const shown: readonly MetricName[] = ["iops", "cpuPerIo", "latencyP99"];

/** Runs of one plan over time, as one self-contained HTML page. */
export async function trendHtml(trend: Trend): Promise<string> {
  const { plan, comparison } = trend;
  const charts = await Promise.all(
    shown.map(async (name) => [name, await renderChart(trendChart(comparison, name))] as const),
  );
  const now = dateTime(new Date().toISOString());
  return renderPage({
    title: `Runs over time: ${plan.words}`,
    eyebrow: `${plan.words} · plan ${plan.id} · ${now}`,
    headline: trendHeadline(trend),
    lead: html``,
    sections: [
      ...charts.map(([name, chart]) => chartSection(name, chart)),
      runsSection(trend),
      methodSection,
    ],
    footer: html`<p>Made by siphon on ${now}.</p>`,
  });
}

function chartSection(name: MetricName, chart: RenderedChart): Section {
  return {
    id: name,
    heading: metrics[name].title,
    body: figure(
      chart,
      "One dot per run, with its 95 % interval. Each row has its own scale, from its least value to its greatest: compare dots within a row.",
    ),
  };
}

function runsSection({ comparison: { runs, differences } }: Trend): Section {
  return {
    id: "runs",
    heading: "The runs",
    short: "Runs",
    body: table(
      "Differences from the run before",
      [
        { head: "Run", cell: ({ run }) => run.label },
        { head: "Made", cell: ({ run }) => dateTime(run.started), extra: true },
        {
          head: "Other differences",
          cell: ({ run, changes }) =>
            [...changes, ...(run.complete ? [] : ["was cut short"])].join("; ") || "nothing",
          text: true,
        },
      ],
      runs.map((run, index) => ({ run, changes: changesBefore(differences, index) })),
    ),
  };
}

const methodSection: Section = {
  id: "method",
  heading: "How to read it",
  short: "Method",
  body: html`<p>Runs of one plan have the same load, the same kind of cluster, and a guest of the same size that runs in the same way; versions, the machine, and the measuring time may differ. “Since first” compares the latest run with the first: ▲ better, ▼ worse, ≈ no significant difference, ? fewer than ${fewestBlocks} repeats. Runs are made at different times, so other load during one of them affects its figures: only a change that persists from run to run is real.</p>
`,
};
