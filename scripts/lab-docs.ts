/**
 * Fills tables of docs/*.md and pictures of docs/images from the lab's runs in docs/results: between `<!-- NAME -->`
 * and `<!-- /NAME -->` goes the table made from the run, or nothing if there is no such run. `--check` writes nothing,
 * and fails if a table differs from its run.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "simple-statistics";
import { readDensityResults } from "../packages/lab/src/density/file.ts";
import { writeDensityReport } from "../packages/lab/src/density/report/write.ts";
import { densityWays } from "../packages/lab/src/density/ways.ts";
import {
  bytes,
  change,
  count,
  cpuTime,
  interval,
  latency,
  percent,
} from "../packages/lab/src/report/format.ts";
import { biggerTitles } from "../packages/lab/src/report/sections/bigger.ts";
import { writeReport } from "../packages/lab/src/report/write.ts";
import { readResults } from "../packages/lab/src/results/file.ts";
import type { FigureComparison, MeasuredRung, Results } from "../packages/lab/src/results/schema.ts";
import { reachOf } from "../packages/lab/src/results/sharpness.ts";
import { fillPage } from "./filled-page.ts";

const docs = new URL("../docs/", import.meta.url).pathname;
const run = (name: string) => join(docs, "results", `${name}.json`);
const plain = (text: string) => text.replaceAll("\u00a0", " ");
const untitled = (text: string) => text.replace(/^\+ /, "");
const measuredOf = ({ rungs }: Results) => rungs.filter((rung) => rung.status === "measured");

const sections: Record<string, { page: string; from: string; text: () => Promise<string> }> = {
  ladder: { page: "study", from: "ladder", text: async () => ladder(await readResults(run("ladder"))) },
  bigger: { page: "study", from: "ladder", text: async () => bigger(await readResults(run("ladder"))) },
  "ladder-siphon": {
    page: "attach",
    from: "ladder",
    text: async () => ofSiphon(await readResults(run("ladder"))),
  },
  "curves-ladder": {
    page: "curves",
    from: "curves-ladder",
    text: async () => curves(await readResults(run("curves-ladder"))),
  },
  density: { page: "curves", from: "density", text: density },
};

/** Pictures, and the report charts that they are made from. */
const pictures = [
  { picture: "ladder", from: "ladder", chart: "ladder" },
  { picture: "releases", from: "releases", chart: "ladder" },
  { picture: "curves-read-p99", from: "curves-ladder", chart: "curve-read-p99" },
  { picture: "density-iops", from: "density", chart: "density-iops" },
  { picture: "density-memory", from: "density", chart: "density-memory" },
];

const texts = new Map<string, string>();
for (const [name, { from, text }] of Object.entries(sections)) {
  texts.set(name, existsSync(run(from)) ? `\n${plain(await text())}\n\n` : "");
}
for (const [page, places] of Map.groupBy(Object.keys(sections), (name) => sections[name]!.page)) {
  fillPage(page, (name) => texts.get(name)!, { script: "docs:lab", places });
}
if (!process.argv.includes("--check")) {
  for (const from of new Set(pictures.map((each) => each.from))) if (existsSync(run(from))) await draw(from);
}

async function draw(from: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "siphon-lab-docs-"));
  try {
    if (from === "density") await writeDensityReport(directory, await readDensityResults(run(from)));
    else await writeReport(directory, await readResults(run(from)));
    for (const { picture, chart } of pictures.filter((each) => each.from === from))
      copyFileSync(join(directory, `${chart}.svg`), join(docs, "images", `${picture}.svg`));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function ladder(results: Results): string {
  const measured = measuredOf(results);
  const titleOf = (name: string) => untitled(results.rungs.find((rung) => rung.name === name)?.title ?? name);
  const rows = measured.map(({ title, summary, comparison }) => [
    title,
    count(summary.iops.median),
    interval(summary.iops),
    comparison ? titleOf(comparison.against) : "",
    comparison ? changed(comparison, "faster", "slower") : "",
    cpuTime(summary.clientCpuPerIo.median),
    changed(comparison?.costs?.cpuPerIo, "more", "less"),
  ]);
  const head = ["rung", "IOPS", "95 % interval", "against", "IOPS", "VM CPU per I/O", "against it, CPU"];
  const { repeats } = results.workload;
  return `${repeats} blocks on ${results.started.slice(0, 10)} gave this table. Half of the intervals of the ratios between neighbours
are within ±${reach(measured, "iops")} for IOPS, and within ±${reach(measured, "cpuPerIo")} for CPU per I/O:

${table(head, rows, [1, 2, 5])}`;
}

/** Half the width of the median interval. */
function reach(rungs: readonly MeasuredRung[], figure: "iops" | "cpuPerIo"): string {
  const ratios = rungs.flatMap(
    ({ comparison }) => (figure === "iops" ? comparison : comparison?.costs?.cpuPerIo)?.ratio ?? [],
  );
  return `${(median(ratios.map(reachOf)) * 100).toFixed(1)} %`;
}

/** A ratio in words, if there is a verdict on it. */
function changed(
  found: { ratio: FigureComparison["ratio"]; verdict: string } | undefined,
  more: string,
  less: string,
): string {
  if (found === undefined) return "";
  const { ratio, verdict } = found;
  if (!["faster", "slower", "better", "worse"].includes(verdict)) return verdict;
  if (ratio.median >= 2)
    return `${change(ratio.median).replace("×", "")} times as ${more === "faster" ? "fast" : "much"}`;
  return `${percent(Math.abs(ratio.median - 1) * 100)} ${ratio.median > 1 ? more : less}`;
}

function bigger(results: Results): string {
  const titles = biggerTitles(results);
  const steps = Map.groupBy(results.bigger?.steps ?? [], (step) => titles.get(step)!);
  const rows = [...steps].map(([title, all]) => {
    const of = (name: string) => all.find((step) => step.name === name);
    const iops = (name: string) => (of(name) ? count(of(name)!.run.iops) : "");
    const fill = of("fill");
    return [
      untitled(title),
      fill ? `${count(fill.run.bytesPerSecond / 2 ** 20)} MiB/s` : "",
      iops("randread"),
      iops("randwrite"),
    ];
  });
  const head = ["rung", "4 MiB writes", "16 KiB random reads", "random writes"];
  return table(head, rows, [1, 2, 3]);
}

function ofSiphon(results: Results): string {
  const names = [
    "librados-threads",
    "siphon-nbd",
    "siphon-vhost",
    "secure",
    "siphon-nbd-secure",
    "siphon-vhost-secure",
  ];
  const rows = measuredOf(results)
    .filter(({ name }) => names.includes(name))
    .map(({ name, title, summary, comparison }) => [
      `\`${name}\`: ${untitled(title)}`,
      `${count(summary.iops.median)} [${interval(summary.iops).replace("–", ", ")}]`,
      name.startsWith("siphon") && comparison ? changed(comparison, "faster", "slower") : "",
      cpuTime(summary.clientCpuPerIo.median),
      name.startsWith("siphon") ? changed(comparison?.costs?.cpuPerIo, "more", "less") : "",
    ]);
  const head = [
    "rung",
    "IOPS, 16 KiB random read",
    "against librbd's best",
    "CPU per I/O",
    "against librbd's best",
  ];
  return table(head, rows, [1, 3]);
}

function curves(results: Results): string {
  const rows = measuredOf(results).flatMap(({ title, curves: all = [] }) =>
    all.flatMap(({ mix, points, knee }) =>
      points.map(({ depth, iops, latencyP50, latencyP99, clientCpuPerIo }) => [
        untitled(title),
        mix,
        `${depth}${depth === knee?.depth ? ", knee" : ""}`,
        count(iops.median),
        interval(iops),
        latency(latencyP50.median),
        latency(latencyP99.median),
        cpuTime(clientCpuPerIo.median),
      ]),
    ),
  );
  const head = ["rung", "mix", "depth", "IOPS", "95 % interval", "median", "p99", "VM CPU per I/O"];
  return `A ladder's curves, ${results.workload.repeats} blocks on ${results.started.slice(0, 10)} ([results](results/curves-ladder.json)):

![p99 latency against IOPS](images/curves-read-p99.svg)

${table(head, rows, [3, 4, 5, 6, 7])}`;
}

async function density(): Promise<string> {
  const results = await readDensityResults(run("density"));
  const rows = results.cells
    .filter((cell) => cell.status === "measured")
    .toSorted((a, b) => a.vms - b.vms)
    .map(({ way, vms, summary, comparison }) => [
      `${vms}`,
      densityWays.find(({ name }) => name === way)!.title,
      count(summary.iops.median),
      interval(summary.iops),
      changed(comparison?.iops, "faster", "slower"),
      latency(summary.latencyP99.median),
      cpuTime(summary.clientCpuPerIo.median),
      changed(comparison?.cpuPerIo, "more", "less"),
      bytes(summary.memory.median),
    ]);
  const head = [
    "VMs",
    "way",
    "IOPS",
    "95 % interval",
    "against librbd",
    "p99",
    "CPU per I/O",
    "against librbd",
    "memory per VM",
  ];
  return `${results.workload.repeats} blocks on ${results.started.slice(0, 10)} ([results](results/density.json)):

![IOPS of all VMs together](images/density-iops.svg)

![Memory per VM](images/density-memory.svg)

${table(head, rows, [0, 2, 3, 5, 6, 8])}`;
}

/** @param numbers indexes of the right-aligned columns */
function table(head: readonly string[], rows: readonly string[][], numbers: readonly number[]): string {
  const rule = head.map((_, at) => (numbers.includes(at) ? "---:" : "---"));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
