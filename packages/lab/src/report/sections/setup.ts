import { fewestRepeats } from "../../results/compare.ts";
import { quietOf } from "../../results/quiet.ts";
import type { Results } from "../../results/schema.ts";
import { rungsOf } from "../../rungs/plan.ts";
import { bytes, duration } from "../format.ts";
import { html } from "../html.ts";
import type { Section } from "../page/page.ts";
import { copyable, facts } from "../page/parts.ts";
import { quietInWords } from "../quiet-words.ts";
import { curveOptions } from "./curves.ts";

/** Machine, versions, guest, cluster and workload. */
export function setupSection(results: Results): Section {
  return {
    id: "setup",
    heading: "Machine, versions, settings",
    short: "Setup",
    body: facts(setupGroups(results)),
  };
}

/** The settings that a reader needs to judge the figures. */
export function setupGroups({
  facts: { machine, versions, guest, cluster },
  workload,
  accelerator,
}: Results) {
  const accelerated = {
    name: "accelerator",
    value: `${accelerator.name.toUpperCase()} (${accelerator.reason})`,
  };
  return [
    { title: "Machine", settings: machine },
    { title: "Versions", settings: versions },
    { title: "Guest", settings: [...guest, accelerated] },
    { title: "Cluster", settings: cluster },
    {
      title: "Workload",
      settings: workloadSettings(workload),
    },
  ];
}

/** The load, as settings. */
export function workloadSettings(workload: Results["workload"]): Results["facts"]["machine"] {
  const { rw, blockSize, ioDepth, seconds, warmupSeconds, size, slice } = workload;
  const slices = slice === undefined ? "" : ` in slices of ${slice} s`;
  return [
    { name: "kind", value: rw },
    { name: "block size", value: bytes(blockSize) },
    { name: "queue depth", value: `${ioDepth}` },
    { name: "area", value: bytes(size) },
    { name: "a run", value: `${seconds} s${slices}, after ${warmupSeconds} s of warm-up` },
  ];
}

/** How the figures were made. */
export function methodSection(results: Results): Section {
  const { workload, seed, started, finished } = results;
  const quiet = quietOf(results);
  const runs = workload.slice === undefined ? "repeats" : "blocks";
  return {
    id: "method",
    heading: "How the figures were made",
    short: "Method",
    body: html`<p>${orderInWords(workload, seed)} The whole took ${duration(started, finished)}.</p>
<p>A rung’s figure is the median of its ${runs}; the interval around it is a 95 % bootstrap interval of that median. Two rungs are compared by the ratios of their IOPS, CPU per I/O and latency within each ${runs.slice(0, -1)}, on a logarithmic scale: the interval is Student’s, and each comparison estimates the variation between ${runs} from its own ${runs}, moderated by all others (Smyth, 2004). A difference is reported only if chance alone would produce it in less than 1 of 20 runs, corrected for all comparisons of a figure (Holm, 1979), so an interval may exclude 1 although no difference is reported; with fewer than ${fewestRepeats} common ${runs} nothing is. ${runs === "blocks" ? "Runs" : "Repeats"} more than 3.5 scaled median absolute deviations from their rung’s median are marked as outliers and counted like all others.</p>
${quiet && html`<p>${quietInWords(quiet).join(" ")}</p>\n`}<p>Every figure of every run is in <a href="results.json">results.json</a> next to this file; it names the files with fio’s own output.</p>
`,
  };
}

function orderInWords({ repeats, slice }: Results["workload"], seed: number): string {
  if (slice === undefined) {
    return `The rungs were measured ${repeats} times, interleaved: each repeat visits every rung once, in an order drawn from seed ${seed}, so that disturbances of the machine affect all rungs alike.`;
  }
  return `The rungs were measured in ${repeats} blocks. In a block each rung’s VM boots once, and is stopped between the slices of ${slice} s in which it is measured. Slices visit all rungs in order and in reverse, so that disturbances of the machine affect neighbours alike. Beside each slice a fixed piece of work is timed, to remove the effect of the processors’ speed. The variation between boots shows up as variation between blocks, and is part of the intervals.`;
}

/** How to reproduce them. */
export function repeatSection(results: Results): Section {
  return {
    id: "repeat",
    heading: "Measure it again",
    short: "Repeat",
    body: html`<p>The same rungs, workload and order, on a cluster that siphon starts and stops itself:</p>
${copyable("repeat-command", "Command line", repeatCommand(results), true)}`,
  };
}

/** The command that climbs the same ladder again. */
export function repeatCommand({ mode, seed, workload, accelerator, rungs, bigger, roots }: Results): string {
  const { repeats, seconds, slice, blockSize, ioDepth, rw, size } = workload;
  const names = rungs.map(({ name }) => name).join(",");
  const curves = curveOptions(rungs.filter((rung) => rung.status === "measured"));
  if (mode === "vm") {
    return [
      "siphon doctor vm FILE --measure",
      `--rw ${rw} --bs ${sizeOption(blockSize)} --iodepth ${ioDepth} --size ${sizeOption(size)}`,
      `--repeat ${repeats} --load-seconds ${seconds} --seed ${seed}`,
    ].join(" \\\n  ");
  }
  return [
    ...modeAndRungs(mode, names),
    ...Object.entries(roots ?? {}).flatMap(([what, root]) => (root === undefined ? [] : `--${what} ${root}`)),
    `--rw ${rw} --bs ${sizeOption(blockSize)} --iodepth ${ioDepth} --size ${sizeOption(size)}`,
    `--repeat ${repeats} --seconds ${seconds}${slice === undefined ? "" : ` --slice ${slice}`} --seed ${seed}`,
    ...(curves === undefined ? [] : [curves]),
    `--accel ${accelerator.name}${bigger ? "" : " --no-bigger"}`,
  ].join(" \\\n  ");
}

function modeAndRungs(mode: Exclude<Results["mode"], "vm">, names: string): string[] {
  if (mode === "releases") return ["npm run ladder --"];
  const all = rungsOf(mode)
    .map(({ name }) => name)
    .join(",");
  return [`npm run ladder -- --mode ${mode}`, ...(names === all ? [] : [`--rungs ${names}`])];
}

/** Bytes as an option takes them: 16k, 256m, 1000. */
export function sizeOption(value: number): string {
  if (value % 2 ** 20 === 0) return `${value / 2 ** 20}m`;
  return value % 1024 === 0 ? `${value / 1024}k` : `${value}`;
}
