import type { Curve } from "../../results/schema.ts";
import { type CurveFigure, type CurveSeries, curveChart, mixInWords } from "../charts/curves.ts";
import { type RenderedChart, renderChart } from "../charts/render.ts";
import { count, cpuTime, interval, latency } from "../format.ts";
import { html } from "../html.ts";
import { picture, tableOf, text } from "../markdown-parts.ts";
import type { Section } from "../page/page.ts";
import { type Column, figure, pair, table } from "../page/parts.ts";

/** A rung or a cell, with its curves. */
export interface WithCurves {
  title: string;
  curves?: readonly Curve[];
}

/** The curves of one mix, drawn. */
export interface MixCurves {
  mix: string;
  series: CurveSeries[];
  charts: Record<CurveFigure, RenderedChart>;
}

/** Draws the response curves, a pair of charts for each mix; empty if none were measured. */
export async function drawCurves(all: readonly WithCurves[]): Promise<MixCurves[]> {
  const series = all.flatMap(({ title, curves = [] }) => curves.map((curve) => ({ title, curve })));
  const mixes = Map.groupBy(series, ({ curve }) => curve.mix);
  return Promise.all(
    [...mixes].map(async ([mix, same]) => {
      const [p50, p99] = await Promise.all([
        renderChart(curveChart(mix, same, "p50")),
        renderChart(curveChart(mix, same, "p99")),
      ]);
      return { mix, series: same, charts: { p50, p99 } };
    }),
  );
}

/** All charts of the curves, for files. */
export function chartsOf(curves: readonly MixCurves[]): RenderedChart[] {
  return curves.flatMap(({ charts }) => Object.values(charts));
}

const explained =
  "Each point is a queue depth. The knee, ringed, is the depth with the most IOPS for its mean latency: up to there more requests in flight bring more IOPS, beyond it mostly more waiting. Bars are 95 % intervals of the repeats’ median.";

export function curvesSection(curves: readonly MixCurves[]): Section | undefined {
  if (curves.length === 0) return undefined;
  return {
    id: "curves",
    heading: "Latency against throughput",
    short: "Curves",
    body: html`<p>${explained}</p>
${curves.map(({ mix, series, charts: { p50, p99 } }) => {
  const words = mixInWords(mix);
  return html`<h3>${words[0]!.toUpperCase()}${words.slice(1)}</h3>
${pair(figure(p50, "Median latency."), figure(p99, "99th percentile."))}${table(`All points, ${words}`, columns, rowsOf(series), ({ isKnee }) => (isKnee ? "best" : ""))}`;
})}`,
  };
}

/** The same in Markdown. */
export function curvesBlocks(curves: readonly MixCurves[]): string[] {
  if (curves.length === 0) return [];
  return [
    "## Latency against throughput",
    text(explained),
    ...curves.flatMap(({ mix, series, charts: { p50, p99 } }) => [
      `### ${text(mixInWords(mix))}`,
      picture(p50),
      picture(p99),
      tableOf(
        columns.map(({ head }) => head),
        rowsOf(series).map((row) => columns.map(({ cell }) => cell(row))),
      ),
    ]),
  ];
}

/** The options that measure such curves again: `--depths 1,4 --mix read`; undefined if none were measured. */
export function curveOptions(all: readonly WithCurves[]): string | undefined {
  const curves = all.flatMap((each) => each.curves ?? []);
  if (curves.length === 0) return undefined;
  const depths = new Set(curves.flatMap(({ points }) => points.map(({ depth }) => depth)));
  const mixes = new Set(curves.map(({ mix }) => mix));
  const named = [...mixes].every((mix) => /^(read|write|\d+\/\d+)$/.test(mix));
  const sorted = [...depths].toSorted((a, b) => a - b);
  return `--depths ${sorted.join(",")}${named ? ` --mix ${[...mixes].join(",")}` : ""}`;
}

interface Row {
  title: string;
  point: Curve["points"][number];
  isKnee: boolean;
}

function rowsOf(series: readonly CurveSeries[]): Row[] {
  return series.flatMap(({ title, curve }) =>
    curve.points.map((point) => ({ title, point, isKnee: point.depth === curve.knee?.depth })),
  );
}

type TextColumn = Omit<Column<Row>, "cell"> & { cell: (row: Row) => string };

const columns: TextColumn[] = [
  { head: "", cell: ({ title }) => title },
  { head: "Depth", cell: ({ point, isKnee }) => `${point.depth}${isKnee ? ", knee" : ""}` },
  { head: "IOPS", cell: ({ point }) => count(point.iops.median) },
  { head: "95 % interval", extra: true, cell: ({ point }) => interval(point.iops) },
  { head: "Median", extra: true, cell: ({ point }) => latency(point.latencyP50.median) },
  { head: "p99", cell: ({ point }) => latency(point.latencyP99.median) },
  { head: "CPU per I/O", cell: ({ point }) => cpuTime(point.clientCpuPerIo.median) },
];
