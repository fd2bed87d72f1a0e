import type { Results, RungResult } from "../../results/schema.ts";
import { furtherRungsOf, rungsOf } from "../../rungs/plan.ts";
import type { RenderedChart } from "../charts/render.ts";
import type { Findings } from "../findings.ts";
import { changeInterval, changeMark, costMark, count, times } from "../format.ts";
import { html } from "../html.ts";
import type { Section } from "../page/page.ts";
import { type Column, figure, pair, table } from "../page/parts.ts";

/** The charts of IOPS and of what they cost, and all figures. */
export function ladderSection(
  found: Findings,
  { ladder, cpu }: { ladder: RenderedChart; cpu?: RenderedChart },
): Section {
  const { results, best } = found;
  return {
    id: "ladder",
    heading: "The ladder",
    short: "Ladder",
    body: html`<p>${workloadInWords(results)}</p>
${pair(
  figure(
    ladder,
    "“Change” is the ratio of IOPS against the rung it builds on, paired by block: ▲ faster, ▼ slower, ≈ no significant difference, ? too few blocks to say.",
  ),
  ...(cpu ? [figure(cpu, "CPU time that one I/O costs: of the VM, and of all OSDs together.")] : []),
)}${table("All figures", columns(found), results.rungs, (rung) => (rung === best ? "best" : ""))}`,
  };
}

/** The workload as a sentence says it. */
export function workloadInWords({ workload, mode, rungs }: Results): string {
  const { rw, blockSize, ioDepth, seconds, repeats, slice } = workload;
  const load = `${rw}, ${blockSize / 1024} KiB at a queue depth of ${ioDepth}`;
  const measured =
    slice === undefined
      ? `${seconds} s a run, ${repeats} repeats of every rung in random order`
      : `${seconds} s in slices of ${slice} s, in each of ${repeats} blocks`;
  return `${stepsInWords(mode, new Set(rungs.map(({ name }) => name)))} The guest runs fio: ${load}, ${measured}.`;
}

function stepsInWords(mode: Results["mode"], names: ReadonlySet<string>): string {
  switch (mode) {
    case "cumulative": {
      const leftOut = rungsOf(mode).every(({ name }) => names.has(name))
        ? ""
        : ", those left out here included";
      const further = furtherRungsOf(mode).some(({ name }) => names.has(name))
        ? " Rungs beside the ladder change one thing of the rung that they are compared with."
        : "";
      return `Each rung adds to those before it${leftOut}.${further}`;
    }
    case "published":
      return "The rungs are the study’s steps as published, each with all its settings.";
    case "releases":
      return "Each rung is a release of librbd, in the same QEMU, on the same cluster, with the same settings.";
    case "vm":
      return "The first rung has the settings of the VM that was examined; each of the others has one change to them, the last all.";
  }
}

function columns({ results, here, study }: Findings): Column<RungResult>[] {
  const measured =
    (cell: (rung: Extract<RungResult, { status: "measured" }>) => string | undefined) =>
    (rung: RungResult): string =>
      rung.status === "measured" ? (cell(rung) ?? "") : "";
  return [
    { head: "Rung", cell: ({ title }) => title },
    {
      head: "IOPS",
      cell: (rung) => (rung.status === "measured" ? count(rung.summary.iops.median) : rung.status),
    },
    { head: "Change", cell: measured(({ comparison }) => comparison && changeMark(comparison)) },
    {
      head: "its interval",
      extra: true,
      cell: measured(({ comparison }) => comparison && changeInterval(comparison.ratio)),
    },
    { head: "CPU", cell: measured(({ comparison }) => costMark(comparison?.costs?.cpuPerIo)) },
    { head: "p99", cell: measured(({ comparison }) => costMark(comparison?.costs?.latencyP99)) },
    {
      head: "Factor",
      extra: true,
      cell: ({ name }) => (here.has(name) ? times(here.get(name)!.median) : ""),
    },
    ...(results.mode === "releases" || results.mode === "vm" ? [] : studyColumns(study)),
  ];
}

function studyColumns(study: Findings["study"]): Column<RungResult>[] {
  return [
    {
      head: "Study",
      extra: true,
      cell: (rung) => (rung.study ? count(rung.study.iops) : ""),
      className: "study",
    },
    {
      head: "Factor",
      extra: true,
      cell: ({ name }) => (study.has(name) ? times(study.get(name)!) : ""),
      className: "study",
    },
  ];
}
