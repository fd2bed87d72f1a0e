import { type RenderedChart, renderChart } from "../report/charts/render.ts";
import { change, changeInterval, changeSigns, dateTime, interval } from "../report/format.ts";
import { type Html, html } from "../report/html.ts";
import { renderPage, type Section } from "../report/page/page.ts";
import { type Column, figure, note, table } from "../report/page/parts.ts";
import { fewestBlocks } from "../statistics/blocks.ts";
import { changesChart } from "./chart.ts";
import type { Change, ComparedRow, RunsComparison } from "./compare-runs.ts";
import { type Difference, differenceName } from "./differences.ts";
import { comparisonHeadline, comparisonSentences, comparisonWarnings, nounOf } from "./findings.ts";
import { type MetricName, metricNames, metrics } from "./metrics.ts";

/** A comparison of runs as one self-contained HTML page. */
export async function comparisonHtml(comparison: RunsComparison): Promise<string> {
  const { runs, differences } = comparison;
  const charts = await Promise.all(
    runs.slice(1).map(async (_, index) => {
      const chart = changesChart(comparison, index + 1);
      return chart && renderChart(chart);
    }),
  );
  const warnings = comparisonWarnings(comparison);
  const sentences = runs.length > 2 ? comparisonSentences(comparison) : [];
  const now = dateTime(new Date().toISOString());
  return renderPage({
    title: `Runs compared: ${runs.map(({ label }) => label).join(", ")}`,
    eyebrow: `${runs.length} runs side by side · ${now}`,
    headline: comparisonHeadline(comparison),
    lead: html`${sentences.map((sentence) => html`<p class="lead">${sentence}</p>\n`)}${warnings.length > 0 && note(...warnings)}`,
    sections: [
      ...charts.flatMap((chart, index) => (chart ? [changesSection(comparison, index + 1, chart)] : [])),
      ...metricNames.map((name) => metricSection(comparison, name)),
      ...(differences.length > 0 ? [differencesSection(comparison, differences)] : []),
      methodSection,
    ],
    footer: html`<p>Made by siphon on ${now}.</p>`,
  });
}

function changesSection({ runs }: RunsComparison, later: number, chart: RenderedChart): Section {
  return {
    id: `changes-${later}`,
    heading: `${runs[later].label} against ${runs[0].label}`,
    short: runs[later].label,
    body: figure(
      chart,
      "The median IOPS over the other run’s. It is called faster or slower only if the whole interval lies on one side of no change.",
    ),
  };
}

function metricSection(comparison: RunsComparison, name: MetricName): Section {
  const { runs, rows } = comparison;
  const { title, format } = metrics[name];
  const cell = ({ cells }: ComparedRow, index: number): Html => {
    const found = cells[index];
    if (found.status === "absent") return html`<span class="muted">not in it</span>`;
    if (found.status !== "measured") return html`<span class="muted">${found.status}</span>`;
    const estimate = found.figures[name];
    return html`${format(estimate.median)} <span class="muted">${interval(estimate, format)}</span>`;
  };
  const columns: Column<ComparedRow>[] = [
    { head: nounOf(comparison) === "rung" ? "Rung" : "Cell", cell: ({ title: row }) => row },
    ...runs.flatMap(({ label }, index): Column<ComparedRow>[] => [
      { head: label, cell: (row) => cell(row, index) },
      ...(index > 0
        ? [{ head: "Change", cell: ({ changes }: ComparedRow) => changeCell(changes[index - 1]?.[name]) }]
        : []),
    ]),
  ];
  return {
    id: name,
    heading: title,
    body: html`${table(`${title}: median and 95 % interval`, columns, rows)}${name === "iops" && failures(runs, rows)}`,
  };
}

/** "▲ +12 % (+9 to +15 %)". */
export function changeCell(compared: Change | undefined): string {
  if (!compared) return "";
  const { ratio, verdict } = compared;
  return `${changeSigns[verdict]} ${change(ratio.median)} (${changeInterval(ratio)})`;
}

function failures(runs: RunsComparison["runs"], rows: readonly ComparedRow[]): Html | undefined {
  const reasons = rows.flatMap(({ title, cells }) =>
    cells.flatMap((cell, index) =>
      cell.status === "failed" || cell.status === "skipped"
        ? [html`<li>“${title}” ${cell.status} in ${runs[index].label}: ${cell.reason}</li>\n`]
        : [],
    ),
  );
  return reasons.length > 0 ? html`<ul class="muted">\n${reasons}</ul>\n` : undefined;
}

function differencesSection({ runs }: RunsComparison, differences: readonly Difference[]): Section {
  const columns: Column<Difference>[] = [
    { head: "Setting", cell: differenceName },
    ...runs.map(({ label }, index) => ({
      head: label,
      cell: ({ values }: Difference) => values[index] ?? "–",
      text: true,
    })),
  ];
  return {
    id: "differences",
    heading: "Other differences",
    short: "Differences",
    body: table("Settings that are not the same in all runs", columns, differences),
  };
}

const methodSection: Section = {
  id: "method",
  heading: "How runs are compared",
  short: "Method",
  body: html`<p>Runs were made at different times, so their repeats are not paired, and other load during one of them affects its figures: repeat both runs before you trust a small difference. The ratio is that of the geometric means, with Student’s 95 % interval; each row estimates the variation between repeats from its own repeats, moderated by all others (Smyth, 2004). With fewer than ${fewestBlocks} repeats in one of them no verdict of better (▲) or worse (▼) is given; ≈ is no significant difference, ? too few repeats.</p>
`,
};
