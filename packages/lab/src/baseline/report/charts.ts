import { type BarRow, type BarSeries, drawBars } from "../../report/charts/bars.ts";
import { type Chart, type RenderedChart, renderChart } from "../../report/charts/render.ts";
import { threadsChart } from "../../report/charts/threads.ts";
import { count, cpuTime } from "../../report/format.ts";
import { drawCurves, type MixCurves } from "../../report/sections/curves.ts";
import type { Estimate } from "../../results/schema.ts";
import { baseline, baselineByWire } from "../../study/figures.ts";
import type { EngineName } from "../options.ts";
import type { BaselineResults, MeasuredCell } from "../results.ts";
import { wires } from "../wires.ts";
import { cellTitle, clusterTitle, measuredCells } from "./findings.ts";

/** The rendered charts of a baseline; empty ones are omitted. */
export interface BaselineCharts {
  clusters?: RenderedChart;
  studyClusters: RenderedChart;
  wires?: RenderedChart;
  studyWires: RenderedChart;
  cpu?: RenderedChart;
  threads?: RenderedChart;
  curves: MixCurves[];
}

export async function drawBaselineCharts(results: BaselineResults): Promise<BaselineCharts> {
  const measured = measuredCells(results);
  const threads = threadsChart(
    { measured: measured.map((cell) => ({ title: cellTitle(cell), summary: cell.summary })) },
    "CPU of the client’s threads",
  );
  const draw = async (chart: Chart | undefined) => chart && renderChart(chart);
  const [clusters, ofWires, cpu, ofThreads, studyClusters, studyWires, curves] = await Promise.all([
    draw(clustersChart(measured)),
    draw(wiresChart(measured)),
    draw(cpuChart(measured)),
    draw(threads),
    renderChart(studyClustersChart),
    renderChart(studyWiresChart),
    drawCurves(measured.map((cell) => ({ title: cellTitle(cell), curves: cell.curves }))),
  ]);
  return { clusters, studyClusters, wires: ofWires, studyWires, cpu, threads: ofThreads, curves };
}

const engines: (BarSeries & { name: EngineName })[] = [
  { name: "librbd", text: "librbd", role: "accent" },
  { name: "krbd", text: "kernel RBD", role: "second" },
  { name: "krbd-io-uring", text: "kernel RBD, io_uring", role: "line5" },
  { name: "siphon", text: "siphon", role: "line2" },
  { name: "siphon-nbd", text: "siphon, NBD", role: "line3" },
];

const iopsAxis = "IOPS: the median, with its 95 % interval";

/** IOPS by cluster size, for the first wire. */
function clustersChart(measured: readonly MeasuredCell[]): Chart | undefined {
  const wire = measured[0]?.wire;
  const cells = measured.filter((cell) => cell.wire === wire);
  return wire && iopsChart("clusters", `IOPS by cluster size (${wires[wire].title})`, cells, clusterTitle);
}

/** IOPS by wire, on the largest cluster. */
function wiresChart(measured: readonly MeasuredCell[]): Chart | undefined {
  const largest = Math.max(...measured.map(({ osds }) => osds ?? 0));
  const cells = measured.filter(({ osds }) => (osds ?? 0) === largest);
  if (new Set(cells.map(({ wire }) => wire)).size < 2) return undefined;
  const title = `IOPS by messenger and encryption (${clusterTitle(cells[0])})`;
  return iopsChart("wires", title, cells, ({ wire }) => wires[wire].title);
}

function iopsChart(
  name: string,
  title: string,
  cells: readonly MeasuredCell[],
  rowOf: (cell: MeasuredCell) => string,
): Chart {
  const shown = engines.filter((engine) => cells.some((cell) => cell.engine === engine.name));
  const rows = [...Map.groupBy(cells, rowOf)].map(([row, group]) => ({
    title: row,
    bars: shown.map((engine) => {
      const iops = group.find((cell) => cell.engine === engine.name)?.summary.iops;
      return iops && { ...iops, text: count(iops.median) };
    }),
  }));
  return barsChart(name, title, rows, shown, iopsAxis);
}

/** CPU time that one I/O costs the client and the OSDs. */
function cpuChart(measured: readonly MeasuredCell[]): Chart | undefined {
  if (measured.length === 0) return undefined;
  const bar = (estimate: Estimate | undefined) => estimate && { ...estimate, text: cpuTime(estimate.median) };
  const rows = measured.map((cell) => ({
    title: cellTitle(cell),
    bars: [bar(cell.summary.clientCpuPerIo), bar(cell.summary.osdCpuPerIo)],
  }));
  const series: BarSeries[] = [
    { text: "client", role: "accent" },
    { text: "all OSDs together", role: "second" },
  ];
  const axis = "microseconds of CPU (user and system) per I/O, with 95 % interval";
  return barsChart("cpu", "CPU time per I/O", rows, series, axis);
}

const studyClustersChart = barsChart(
  "study-clusters",
  "The study: IOPS by cluster size",
  baseline.map(({ cluster, librbd, krbd }) => ({
    title: cluster,
    bars: [librbd, krbd].map((iops) => ({ median: iops, text: count(iops) })),
  })),
  engines.slice(0, 2),
  "IOPS, a single run each",
);

const studyWiresChart = barsChart(
  "study-wires",
  "The study: IOPS by messenger and encryption (30 OSDs)",
  baselineByWire.map(({ wire, iops }) => ({ title: wire, bars: [{ median: iops, text: count(iops) }] })),
  engines.slice(0, 1),
  "IOPS, a single run each",
);

function barsChart(
  name: string,
  title: string,
  rows: readonly BarRow[],
  series: readonly BarSeries[],
  axis: string,
): Chart {
  const inWords = rows.map((row) => {
    const figures = row.bars.flatMap((bar, index) => (bar ? [`${series[index].text} ${bar.text}`] : []));
    return `${row.title}: ${figures.join(", ")}`;
  });
  return {
    name,
    title,
    description: `${inWords.join("; ")}.`,
    draw: (format) => drawBars(rows, series, { axis, legendWidth: 80 }, format),
  };
}
