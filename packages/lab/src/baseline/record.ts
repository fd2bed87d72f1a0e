import { version } from "@siphon/wire";
import type { RunRecord } from "../load/interleaved.ts";
import { curvesOf } from "../results/curves.ts";
import type { Run } from "../results/schema.ts";
import { markOutliers, summarize } from "../results/summarize.ts";
import { withoutHome } from "../state/paths.ts";
import type { Cell } from "./cells.ts";
import { compareCells } from "./compare-cells.ts";
import type { BaselineCell, BaselineResults } from "./results.ts";

interface Gathered {
  cell: Cell;
  runs: Omit<Run, "outlier">[];
  /** Errors of failed runs, in order. */
  failures: string[];
  profile?: string;
}

type Fixed = Pick<BaselineResults, "seed" | "workload" | "facts" | "clusters">;

/** Collects the measurements of a baseline, and computes the results so far at any time. */
export class BaselineRecord implements RunRecord {
  readonly #fixed: Fixed;
  readonly #started = new Date();
  readonly #cells: Gathered[];
  readonly #notes: string[] = [];

  constructor(fixed: Fixed, cells: Cell[]) {
    this.#fixed = fixed;
    this.#cells = cells.map((cell) => ({ cell, runs: [], failures: [] }));
  }

  note(text: string): void {
    this.#notes.push(text);
  }

  add(name: string, run: Omit<Run, "outlier">): void {
    this.#of(name).runs.push(run);
  }

  fail(name: string, reason: string): void {
    this.#of(name).failures.push(reason);
  }

  isHopeless(name: string): boolean {
    const { runs, failures } = this.#of(name);
    return runs.length === 0 && failures.length > 0;
  }

  addProfile(name: string, file: string): void {
    this.#of(name).profile = file;
  }

  /** Cells that failed, completely or in some repeats. */
  get failures(): { cell: string; reason: string }[] {
    return this.#cells.flatMap(({ cell, failures }) =>
      failures.length > 0 ? [{ cell: cell.name, reason: failures[0] }] : [],
    );
  }

  results(complete: boolean): BaselineResults {
    const cells = this.#cells.map(resultOf);
    return withoutHome({
      schema: 1,
      kind: "baseline",
      siphon: version,
      started: this.#started.toISOString(),
      finished: new Date().toISOString(),
      complete,
      notes: this.#notes,
      ...this.#fixed,
      cells,
      comparisons: compareCells(cells),
    });
  }

  #of(name: string): Gathered {
    return this.#cells.find(({ cell }) => cell.name === name)!;
  }
}

function resultOf({ cell, runs, failures, profile }: Gathered): BaselineCell {
  const { name, cluster, osds, wire, engine } = cell;
  const base = { name, cluster, osds, wire, engine };
  if (cell.status === "skipped") return { ...base, status: "skipped", reason: cell.reason };
  if (runs.length === 0) {
    return { ...base, status: "failed", reason: failures[0] ?? "its turn did not come" };
  }
  const marked = markOutliers(runs);
  const { place, clientCpu, mode, command, clientConf } = cell;
  return {
    ...base,
    status: "measured",
    ...{ place, clientCpu, mode, command, clientConf },
    runs: marked,
    summary: summarize(marked),
    curves: curvesOf(marked),
    note: failures.length > 0 ? `${failures.length} more repeats failed: ${failures[0]}` : undefined,
    profile,
  };
}
