import { cpuChart } from "./charts/cpu.ts";
import { factorsChart } from "./charts/factors.ts";
import { ladderChart } from "./charts/ladder.ts";
import { latencyChart } from "./charts/latency.ts";
import { type RenderedChart, renderChart } from "./charts/render.ts";
import { threadsChart } from "./charts/threads.ts";
import { type Findings, headline } from "./findings.ts";
import { dateTime } from "./format.ts";
import { html } from "./html.ts";
import { renderPage, type Section } from "./page/page.ts";
import { biggerSection } from "./sections/bigger.ts";
import { cpuSection, latencySection, threadsSection } from "./sections/costs.ts";
import { curvesSection, drawCurves, type MixCurves } from "./sections/curves.ts";
import { ladderSection } from "./sections/ladder.ts";
import { overview } from "./sections/overview.ts";
import { rungsSection } from "./sections/rungs.ts";
import { methodSection, repeatSection, setupSection } from "./sections/setup.ts";
import { studySection } from "./sections/study.ts";

/** The rendered charts of a ladder; empty ones are omitted. */
export interface LadderCharts {
  ladder: RenderedChart;
  factors?: RenderedChart;
  latency?: RenderedChart;
  cpu?: RenderedChart;
  threads?: RenderedChart;
  curves: MixCurves[];
}

export async function drawLadderCharts(found: Findings): Promise<LadderCharts> {
  const draw = async (chart: ReturnType<typeof latencyChart>) => chart && renderChart(chart);
  const [ladder, factors, latency, cpu, threads, curves] = await Promise.all([
    renderChart(ladderChart(found)),
    draw(factorsChart(found)),
    draw(latencyChart(found)),
    draw(cpuChart(found)),
    draw(threadsChart(found)),
    drawCurves(found.measured),
  ]);
  return { ladder, factors, latency, cpu, threads, curves };
}

/** The report of a ladder: one self-contained HTML page. */
export function ladderHtml(found: Findings, charts: LadderCharts): string {
  const { results } = found;
  const { ladder, factors, latency, cpu, threads } = charts;
  const sections: (Section | undefined)[] = [
    ladderSection(found, { ladder, cpu }),
    factors && studySection(found, factors),
    rungsSection(results),
    latency && latencySection(found, latency),
    cpu && cpuSection(found),
    threads && threadsSection(found, threads),
    curvesSection(charts.curves),
    biggerSection(results),
    setupSection(results),
    methodSection(results),
    repeatSection(results),
  ];
  const main = headline(found);
  const started = dateTime(results.started);
  return renderPage({
    title: `Siphon ladder, ${started}`,
    eyebrow: `A VM on Ceph, rung by rung · ${started}`,
    headline: main,
    lead: overview(found),
    sections: sections.filter((section) => section !== undefined),
    footer: html`<p>Made by siphon ${results.siphon} on ${started}.</p>`,
  });
}
