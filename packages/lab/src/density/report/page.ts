import type { RenderedChart } from "../../report/charts/render.ts";
import {
  bytes,
  costMark,
  count,
  cpuTime,
  dateTime,
  duration,
  interval,
  latency,
} from "../../report/format.ts";
import { html } from "../../report/html.ts";
import { fenced, picture, tableOf, text } from "../../report/markdown-parts.ts";
import { renderPage } from "../../report/page/page.ts";
import { type Column, copyable, facts, figure, note, pair, table } from "../../report/page/parts.ts";
import { sizeOption, workloadSettings } from "../../report/sections/setup.ts";
import type { DensityCell, DensityResults, MeasuredDensity } from "../results.ts";
import { densityWays } from "../ways.ts";
import { densityHeadline, densitySentences, densityWarnings } from "./findings.ts";

/** The report of a density run: one self-contained HTML page. */
export function densityHtml(results: DensityResults, charts: readonly RenderedChart[]): string {
  const started = dateTime(results.started);
  const warnings = densityWarnings(results);
  const { cells, facts: found, workload, accelerator } = results;
  const figures = charts.map((chart) => figure(chart, `${chart.title}.`));
  const missing = cells.flatMap((cell) =>
    cell.status === "measured" ? (cell.note ?? []) : [`${cell.title}, ${cell.status}: ${cell.reason}`],
  );
  return renderPage({
    title: `Siphon density, ${started}`,
    eyebrow: `Increasing numbers of VMs on one host · ${started}`,
    headline: densityHeadline(results),
    lead: html`<p class="lead">${loadInWords(results)}</p>
${warnings.length > 0 && note(...warnings)}`,
    sections: [
      {
        id: "density",
        heading: "Throughput and cost of more VMs",
        short: "Charts",
        body: html`${densitySentences(results).map((sentence) => html`<p>${sentence}</p>\n`)}${pair(...figures.slice(0, 2))}${pair(...figures.slice(2))}${table("All figures", columns, cells)}${
          missing.length > 0 && html`<ul>${missing.map((why) => html`<li>${why}</li>\n`)}</ul>\n`
        }`,
      },
      {
        id: "commands",
        heading: "Way by way",
        short: "Commands",
        body: html`${firstOfEachWay(cells).flatMap(({ title, way, command, clientConf }) => [
          html`<h3>${title}</h3>\n`,
          copyable(`command-${way}`, "Command line of a VM", command),
          copyable(`conf-${way}`, "Client configuration", clientConf),
        ])}`,
      },
      {
        id: "setup",
        heading: "Machine, versions, settings",
        short: "Setup",
        body: facts([
          { title: "Machine", settings: found.machine },
          { title: "Versions", settings: found.versions },
          {
            title: "Each guest",
            settings: [...found.guest, { name: "accelerator", value: accelerator.name }],
          },
          { title: "Cluster", settings: found.cluster },
          { title: "Load of each VM", settings: workloadSettings(workload) },
        ]),
      },
      {
        id: "method",
        heading: "How the figures were made",
        short: "Method",
        body: html`<p>${methodInWords(results)} The whole took ${duration(results.started, results.finished)}.</p>
${copyable("repeat-command", "Measure it again", repeatCommand(results), true)}`,
      },
    ],
    footer: html`<p>Made by siphon ${results.siphon} on ${started}.</p>`,
  });
}

/** The same in Markdown, with the charts as pictures beside it. */
export function densityMarkdown(results: DensityResults, charts: readonly RenderedChart[]): string {
  const blocks = [
    `# ${text(densityHeadline(results))}`,
    text(loadInWords(results)),
    ...densityWarnings(results).map((warning) => `> ${text(warning)}`),
    ...densitySentences(results).map(text),
    ...charts.map(picture),
    tableOf(
      columns.map(({ head }) => head),
      results.cells.map((cell) => columns.map((column) => column.cell(cell))),
    ),
    text(methodInWords(results)),
    "## Measure it again",
    fenced(repeatCommand(results)),
    text(`Made by siphon ${results.siphon}, ${dateTime(results.started)}.`),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function loadInWords({ workload: { rw, blockSize, ioDepth }, vm }: DensityResults): string {
  return `Each VM has ${vm.cpus} vCPU${vm.cpus === 1 ? "" : "s"}, ${bytes(vm.memory)}, its own image, and the same load: ${rw}, ${bytes(blockSize)} at queue depth ${ioDepth}.`;
}

function methodInWords({ workload: { repeats, seconds } }: DensityResults): string {
  return `In each of ${repeats} blocks all VMs boot again. All VMs of one way are under load at once while those of the other ways are stopped: ${seconds / 2} s for each way in order, and the same time in reverse. A figure is the median over the blocks, with its 95 % bootstrap interval; ratios are taken within blocks, and verdicts are corrected for their number (Holm); change is against librbd with as many VMs: ▲ better, ▼ worse, ≈ no significant difference, ? too few blocks to say. CPU is that of QEMU and of the processes that serve the disks. Memory is the proportional set size of these processes, divided by the number of VMs; it includes the guests’ memory.`;
}

const measured =
  (cell: (found: MeasuredDensity) => string) =>
  (found: DensityCell): string =>
    found.status === "measured" ? cell(found) : "";

type TextColumn = Omit<Column<DensityCell>, "cell"> & { cell: (cell: DensityCell) => string };

const columns: TextColumn[] = [
  { head: "Way", cell: ({ way }) => densityWays.find(({ name }) => name === way)!.title },
  { head: "VMs", cell: ({ vms }) => `${vms}` },
  {
    head: "IOPS",
    cell: (cell) => (cell.status === "measured" ? count(cell.summary.iops.median) : cell.status),
  },
  { head: "95 % interval", extra: true, cell: measured(({ summary }) => interval(summary.iops)) },
  { head: "change", extra: true, cell: measured(({ comparison }) => costMark(comparison?.iops)) },
  { head: "p99", cell: measured(({ summary }) => latency(summary.latencyP99.median)) },
  { head: "CPU", cell: measured(({ summary }) => cpuTime(summary.clientCpuPerIo.median)) },
  {
    head: "change",
    extra: true,
    cell: measured(({ comparison }) => costMark(comparison?.cpuPerIo)),
  },
  {
    head: "Memory",
    cell: measured(({ summary }) => bytes(Math.round(summary.memory.median / 2 ** 20) * 2 ** 20)),
  },
];

function firstOfEachWay(cells: readonly DensityCell[]): MeasuredDensity[] {
  const all = cells.filter((cell): cell is MeasuredDensity => cell.status === "measured");
  return all.filter(({ way }, index) => all.findIndex((other) => other.way === way) === index);
}

/** The command that measures the same again. */
function repeatCommand({ cells, workload, vm, seed, accelerator }: DensityResults): string {
  const { rw, blockSize, ioDepth, size, repeats, seconds } = workload;
  const list = (of: (cell: DensityCell) => string | number) => [...new Set(cells.map(of))].join(",");
  return [
    `siphon density --vms ${list(({ vms }) => vms)} --ways ${list(({ way }) => way)}`,
    `--rw ${rw} --bs ${sizeOption(blockSize)} --iodepth ${ioDepth} --size ${sizeOption(size)}`,
    `--cpus ${vm.cpus} --memory ${sizeOption(vm.memory)} --accel ${accelerator.name}`,
    `--repeat ${repeats} --seconds ${seconds} --seed ${seed}`,
  ].join(" \\\n  ");
}
