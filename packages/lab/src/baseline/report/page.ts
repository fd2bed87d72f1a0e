import { changeCell } from "../../compare/page.ts";
import type { RenderedChart } from "../../report/charts/render.ts";
import { bytes, change, count, dateTime, duration, interval, latency } from "../../report/format.ts";
import { type Html, html } from "../../report/html.ts";
import { renderPage, type Section } from "../../report/page/page.ts";
import { type Column, copyable, facts, figure, note, table } from "../../report/page/parts.ts";
import { curveOptions, curvesSection } from "../../report/sections/curves.ts";
import { sizeOption, workloadSettings } from "../../report/sections/setup.ts";
import { fewestPairs } from "../../statistics/paired.ts";
import { source } from "../../study/figures.ts";
import type { BaselineCell, BaselineComparison, BaselineResults } from "../results.ts";
import type { BaselineCharts } from "./charts.ts";
import {
  baselineHeadline,
  baselineWarnings,
  cellOf,
  cellTitle,
  encryptionCosts,
  studyEncryption,
} from "./findings.ts";

/** The report of a baseline: one self-contained HTML page. */
export function baselineHtml(results: BaselineResults, charts: BaselineCharts): string {
  const started = dateTime(results.started);
  const warnings = baselineWarnings(results);
  const { cpu, threads } = charts;
  const curves = curvesSection(charts.curves);
  return renderPage({
    title: `Siphon baseline, ${started}`,
    eyebrow: `Ceph without a VM · ${started}`,
    headline: baselineHeadline(results),
    lead: html`<p class="lead">${loadInWords(results)}</p>\n${warnings.length > 0 && note(...warnings)}`,
    sections: [
      clustersSection(results, charts),
      ...(charts.wires ? [wiresSection(results, charts, charts.wires)] : []),
      ...(cpu ? [cpuSection(results, cpu)] : []),
      ...(threads ? [threadsSection(threads)] : []),
      ...(curves ? [curves] : []),
      ...(results.comparisons.length > 0 ? [comparisonsSection(results)] : []),
      commandsSection(results),
      setupSection(results),
      methodSection(results),
    ],
    footer: html`<p>Made by siphon ${results.siphon} on ${started}.</p>`,
  });
}

/** The load in a sentence. */
export function loadInWords({
  workload: { rw, blockSize, ioDepth, seconds, repeats },
}: BaselineResults): string {
  return `${rw}, ${bytes(blockSize)} at queue depth ${ioDepth}: ${repeats} × ${seconds} s in each cell.`;
}

function clustersSection(results: BaselineResults, { clusters, studyClusters }: BaselineCharts): Section {
  const columns: Column<BaselineCell>[] = [
    { head: "Cell", cell: cellTitle },
    {
      head: "IOPS",
      cell: (cell) => (cell.status === "measured" ? count(cell.summary.iops.median) : cell.status),
    },
    {
      head: "95 % interval",
      cell: (cell) => (cell.status === "measured" ? interval(cell.summary.iops) : ""),
    },
    {
      head: "p99",
      cell: (cell) => (cell.status === "measured" ? latency(cell.summary.latencyP99.median) : ""),
    },
    { head: "Mode, say the OSDs", cell: modeCell },
  ];
  const reasons = results.cells.flatMap((cell) =>
    cell.status === "measured" ? (cell.note ?? []) : [`${cellTitle(cell)}, ${cell.status}: ${cell.reason}`],
  );
  return {
    id: "clusters",
    heading: "Clients by cluster size",
    short: "Cluster size",
    body: html`${clusters && figure(clusters, "Medians of the repeats.")}${figure(
      studyClusters,
      `The study: ${source.setup.osdHosts} hosts, ${source.setup.replicas} replicas, ${source.setup.network}; read off its chart. Absolute figures of another machine say little here.`,
    )}${table("All cells", columns, results.cells)}${
      reasons.length > 0 && html`<ul>${reasons.map((reason) => html`<li>${reason}</li>\n`)}</ul>\n`
    }`,
  };
}

function modeCell(cell: BaselineCell): string {
  if (cell.status !== "measured") return "";
  return cell.mode ?? (cell.wire === "v1-none" ? "v1 has none" : "not known");
}

function wiresSection(
  results: BaselineResults,
  { studyWires }: BaselineCharts,
  chart: RenderedChart,
): Section {
  return {
    id: "wires",
    heading: "Messenger and encryption",
    body: html`${figure(chart, "Medians of the repeats.")}${figure(
      studyWires,
      `The study, librbd: secure mode ${change(studyEncryption)} against crc mode, a single run each.`,
    )}<p>The cost of encryption: secure mode compared with crc mode, for the same cluster size and engine. CPU is per I/O.</p>
${comparisonTable("The cost of encryption", results, encryptionCosts(results))}`,
  };
}

function comparisonTable(
  caption: string,
  results: BaselineResults,
  comparisons: readonly BaselineComparison[],
): Html {
  const title = (name: string) => cellTitle(cellOf(results, name)!);
  return table(
    caption,
    [
      { head: "Cell", cell: ({ cell }) => title(cell) },
      { head: "against", cell: ({ against }) => title(against), text: true },
      { head: "IOPS", cell: ({ iops }) => changeCell(iops) },
      { head: "Client CPU", cell: ({ clientCpuPerIo }) => changeCell(clientCpuPerIo) },
      { head: "OSD CPU", cell: ({ osdCpuPerIo }) => changeCell(osdCpuPerIo) },
    ] satisfies Column<BaselineComparison>[],
    comparisons,
  );
}

function cpuSection({ cells }: BaselineResults, chart: RenderedChart): Section {
  const counted = new Map(
    cells.flatMap((cell) => (cell.status === "measured" ? [[cell.engine, cell.clientCpu]] : [])),
  );
  return {
    id: "cpu",
    heading: "CPU per I/O",
    short: "CPU",
    body: html`<p>Read from outside, thread by thread: fio’s own figures miss librbd’s threads. The client’s CPU is that of: ${[
      ...counted,
    ]
      .map(([engine, what]) => `with ${engine} ${what}`)
      .join("; ")}.</p>
${figure(chart, "User and system time during the measurement, divided by its I/Os.")}`,
  };
}

function threadsSection(chart: RenderedChart): Section {
  return {
    id: "threads",
    heading: "The client’s threads",
    short: "Threads",
    body: figure(
      chart,
      "Percent of one core, threads of one name together. Near 100 a thread is what limits, as the study’s msgr-worker threads were.",
    ),
  };
}

function comparisonsSection(results: BaselineResults): Section {
  return {
    id: "comparisons",
    heading: "What makes a difference",
    short: "Comparisons",
    body: comparisonTable("Cells that differ in one thing", results, results.comparisons),
  };
}

function commandsSection({ cells }: BaselineResults): Section {
  return {
    id: "commands",
    heading: "Cell by cell",
    short: "Commands",
    body: html`${cells.flatMap((cell) =>
      cell.status === "measured"
        ? [
            html`<h3>${cellTitle(cell)}</h3>\n`,
            cell.profile !== undefined && html`<p><a href="${cell.profile}">Profile of the client</a></p>\n`,
            copyable(`command-${cell.name}`, "Command line", cell.command),
            copyable(`conf-${cell.name}`, "Client configuration", cell.clientConf),
          ]
        : [],
    )}`,
  };
}

function setupSection({ facts: { machine, versions, guest }, workload, clusters }: BaselineResults): Section {
  return {
    id: "setup",
    heading: "Machine, versions, settings",
    short: "Setup",
    body: facts([
      { title: "Machine", settings: machine },
      { title: "Versions", settings: versions },
      { title: "Guest of kernel RBD", settings: guest },
      { title: "Workload", settings: workloadSettings(workload) },
      ...clusters.map(({ name, facts: settings }) => ({ title: `Cluster ${name}`, settings })),
    ]),
  };
}

function methodSection(results: BaselineResults): Section {
  const { workload, seed, started, finished } = results;
  return {
    id: "method",
    heading: "How the figures were made",
    short: "Method",
    body: html`<p>All clusters ran side by side, each with an image filled with random data, and were idle while another was measured. The cells were measured ${workload.repeats} times, interleaved in an order drawn from seed ${seed}. The whole took ${duration(started, finished)}.</p>
<p>A figure is the median of the repeats with its 95 % bootstrap interval. Cells are compared by the ratio of their figures within each repeat: ▲ better, ▼ worse, ≈ no significant difference, ? fewer than ${fewestPairs} common repeats. The OSDs reported the mode of each client’s connections; a client that fell back would have failed its cell.</p>
${copyable("repeat-command", "Measure it again", repeatCommand(results), true)}`,
  };
}

/** The command that measures the same again on local clusters. */
export function repeatCommand({ cells, seed, workload }: BaselineResults): string {
  const { rw, blockSize, ioDepth, size, repeats, seconds } = workload;
  const list = (of: (cell: BaselineCell) => string | number | undefined) =>
    [...new Set(cells.map(of))].filter((value) => value !== undefined && value !== "own").join(",");
  const wire = list((cell) => cell.wire);
  const osds = list((cell) => cell.osds);
  const measured = cells.filter((cell) => cell.status === "measured");
  const curves = curveOptions(measured.map((cell) => ({ title: cell.name, curves: cell.curves })));
  return [
    "siphon baseline",
    ...(osds === "" ? [] : [`--osds ${osds}`]),
    `--engines ${list(({ engine }) => engine)}${wire === "" ? "" : ` --wire ${wire}`}`,
    `--rw ${rw} --bs ${sizeOption(blockSize)} --iodepth ${ioDepth} --size ${sizeOption(size)}`,
    `--repeat ${repeats} --seconds ${seconds} --seed ${seed}`,
    ...(curves === undefined ? [] : [curves]),
  ].join(" \\\n  ");
}
