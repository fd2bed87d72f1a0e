import { changeCell } from "../../compare/page.ts";
import { count, cpuTime, dateTime, interval, latency } from "../../report/format.ts";
import { fenced, picture, tableOf, text } from "../../report/markdown-parts.ts";
import { curvesBlocks } from "../../report/sections/curves.ts";
import type { BaselineResults } from "../results.ts";
import type { BaselineCharts } from "./charts.ts";
import { baselineHeadline, baselineWarnings, cellOf, cellTitle } from "./findings.ts";
import { loadInWords, repeatCommand } from "./page.ts";

/** The report of a baseline in Markdown, with the charts as pictures beside it. */
export function baselineMarkdown(results: BaselineResults, charts: BaselineCharts): string {
  const { clusters, studyClusters, wires, studyWires, cpu, threads } = charts;
  const shown = [clusters, studyClusters, ...(wires ? [wires, studyWires] : []), cpu, threads];
  const blocks = [
    `# ${text(baselineHeadline(results))}`,
    text(loadInWords(results)),
    ...baselineWarnings(results).map((warning) => `> ${text(warning)}`),
    cellsTable(results),
    ...shown.flatMap((chart) => (chart ? [`## ${text(chart.title)}`, picture(chart)] : [])),
    ...curvesBlocks(charts.curves),
    ...comparisonBlocks(results),
    "## Measure it again",
    fenced(repeatCommand(results)),
    text(`Made by siphon ${results.siphon}, ${dateTime(results.started)}.`),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function cellsTable({ cells }: BaselineResults): string {
  const rows = cells.map((cell) => {
    if (cell.status !== "measured") return [cellTitle(cell), cell.status, cell.reason, "", "", ""];
    const { iops, latencyP99, clientCpuPerIo, osdCpuPerIo } = cell.summary;
    return [
      cellTitle(cell),
      count(iops.median),
      interval(iops),
      latency(latencyP99.median),
      cpuTime(clientCpuPerIo.median),
      osdCpuPerIo ? cpuTime(osdCpuPerIo.median) : "",
    ];
  });
  return tableOf(["Cell", "IOPS", "95 % interval", "p99", "Client CPU per I/O", "OSD CPU per I/O"], rows);
}

function comparisonBlocks(results: BaselineResults): string[] {
  if (results.comparisons.length === 0) return [];
  const title = (name: string) => cellTitle(cellOf(results, name)!);
  const rows = results.comparisons.map(({ cell, against, iops, clientCpuPerIo, osdCpuPerIo }) => [
    `${title(cell)} against ${title(against)}`,
    ...[iops, clientCpuPerIo, osdCpuPerIo].map(changeCell),
  ]);
  const heads = ["Compared", "IOPS", "Client CPU per I/O", "OSD CPU per I/O"];
  return ["## What makes a difference", tableOf(heads, rows)];
}
