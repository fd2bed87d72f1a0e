import { readBaselineResults } from "../baseline/file.ts";
import type { BaselineResults } from "../baseline/results.ts";
import { readDensityResults } from "../density/file.ts";
import type { DensityResults } from "../density/results.ts";
import { type RunKind, readResults, runKind } from "../results/file.ts";
import type { Results, Run } from "../results/schema.ts";
import type { Setting } from "./differences.ts";

/** The figures of a rung of the ladder, of a cell of a baseline, or of a point of their response curves, that are compared. */
export type ComparableRow = { name: string; title: string; point?: true } & (
  | { status: "measured"; runs: readonly Run[] }
  | { status: "failed" | "skipped"; reason: string }
);

/** A run of any command, reduced to what comparisons need. */
export interface ComparableRun {
  kind: RunKind;
  /** Name of the run. */
  label: string;
  siphon: string;
  started: string;
  finished: string;
  complete: boolean;
  settings: Setting[];
  rows: ComparableRow[];
}

/** Reads a run of the ladder, of a baseline or of density; its path is its label. Errors are those of `readResults`. */
export async function readComparable(path: string): Promise<ComparableRun> {
  const kind = await runKind(path);
  if (kind === "density") return densityRun(path, await readDensityResults(path));
  return kind === "baseline"
    ? baselineRun(path, await readBaselineResults(path))
    : ladderRun(path, await readResults(path));
}

export function ladderRun(label: string, results: Results): ComparableRun {
  const { siphon, started, finished, complete, rungs, facts, accelerator, mode } = results;
  return {
    kind: "ladder",
    label,
    siphon,
    started,
    finished,
    complete,
    rows: rungs,
    settings: [
      { group: "workload", name: "rungs", value: mode },
      ...workloadSettings(results),
      { group: "accelerator", name: "accelerator", value: accelerator.name.toUpperCase() },
      ...(["machine", "versions", "guest", "cluster"] as const).flatMap((group) =>
        facts[group].map((fact) => ({ group, ...fact })),
      ),
    ],
  };
}

export function baselineRun(label: string, results: BaselineResults): ComparableRun {
  const { siphon, started, finished, complete, cells, facts, clusters } = results;
  return {
    kind: "baseline",
    label,
    siphon,
    started,
    finished,
    complete,
    rows: cells.map((cell) => ({ ...cell, title: cell.name })),
    settings: [
      ...workloadSettings(results),
      ...(["machine", "versions", "guest"] as const).flatMap((group) =>
        facts[group].map((fact) => ({ group, ...fact })),
      ),
      ...clusters.flatMap((cluster) =>
        cluster.facts.map(({ name, value }) => ({
          group: "cluster" as const,
          name: `${cluster.name}, ${name}`,
          value,
        })),
      ),
    ],
  };
}

function densityRun(label: string, results: DensityResults): ComparableRun {
  const { siphon, started, finished, complete, cells, facts, accelerator } = results;
  return {
    kind: "density",
    ...{ label, siphon, started, finished, complete },
    rows: cells,
    settings: [
      ...workloadSettings(results),
      { group: "accelerator", name: "accelerator", value: accelerator.name.toUpperCase() },
      ...(["machine", "versions", "guest", "cluster"] as const).flatMap((group) =>
        facts[group].map((fact) => ({ group, ...fact })),
      ),
    ],
  };
}

function workloadSettings({ workload, siphon }: Pick<Results, "workload" | "siphon">): Setting[] {
  const { rw, blockSize, ioDepth, seconds, warmupSeconds, repeats, size, slice } = workload;
  return [
    { group: "siphon", name: "siphon", value: siphon },
    { group: "workload", name: "kind", value: rw },
    { group: "workload", name: "block size", value: `${blockSize}` },
    { group: "workload", name: "queue depth", value: `${ioDepth}` },
    { group: "workload", name: "area", value: `${size}` },
    { group: "workload", name: "seconds", value: `${seconds}` },
    { group: "workload", name: "warm-up", value: `${warmupSeconds}` },
    { group: "workload", name: "repeats", value: `${repeats}` },
    ...(slice === undefined ? [] : [{ group: "workload" as const, name: "slice", value: `${slice}` }]),
  ];
}
