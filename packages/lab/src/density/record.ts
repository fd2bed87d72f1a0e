import { version } from "@siphon/wire";
import { compareFigures } from "../results/compare.ts";
import { markOutliers, summarize } from "../results/summarize.ts";
import { withoutHome } from "../state/paths.ts";
import { estimateMedian } from "../statistics/estimate.ts";
import type { DensityCell, DensityResults, DensityRun, MeasuredDensity } from "./results.ts";
import type { DensityWay } from "./ways.ts";

/** A number of VMs attached in one way. */
export type DensityPlace = Pick<DensityCell, "name" | "title" | "way" | "vms">;

export function placeOf({ name, title }: Pick<DensityWay, "name" | "title">, vms: number): DensityPlace {
  const count = vms === 1 ? "1 VM" : `${vms} VMs`;
  return { name: `${name}-${vms}`, title: `${title}, ${count}`, way: name, vms };
}

interface Gathered {
  place: DensityPlace;
  runs: Omit<DensityRun, "outlier">[];
  failures: string[];
}

/** A comparison with the first way, figure by figure. */
type Compared = { against: string } & ReturnType<typeof compareFigures>[number];

type Fixed = Pick<DensityResults, "seed" | "workload" | "vm" | "facts" | "accelerator">;

/** Collects measurements, and computes the results so far at any time. */
export class DensityRecord {
  readonly #fixed: Fixed;
  readonly #started = new Date();
  readonly #cells: Gathered[];
  readonly #skipped: DensityCell[];
  readonly #notes: string[] = [];
  readonly #how = new Map<string, { command: string; clientConf: string }>();

  constructor(fixed: Fixed, places: DensityPlace[], skipped: DensityCell[]) {
    this.#fixed = fixed;
    this.#cells = places.map((place) => ({ place, runs: [], failures: [] }));
    this.#skipped = skipped;
  }

  note(text: string): void {
    this.#notes.push(text);
  }

  /** How to start one of a way's VMs. */
  describe(way: string, how: { command: string; clientConf: string }): void {
    this.#how.set(way, how);
  }

  add(name: string, run: Omit<DensityRun, "outlier">): void {
    this.#of(name).runs.push(run);
  }

  fail(name: string, reason: string): void {
    this.#of(name).failures.push(reason);
  }

  get failures(): { cell: string; reason: string }[] {
    return this.#cells.flatMap(({ place, failures }) =>
      failures.length > 0 ? [{ cell: place.name, reason: failures[0]! }] : [],
    );
  }

  results(complete: boolean): DensityResults {
    return withoutHome({
      ...{ schema: 1, kind: "density", siphon: version },
      started: this.#started.toISOString(),
      finished: new Date().toISOString(),
      complete,
      notes: this.#notes,
      ...this.#fixed,
      cells: [...this.#measured(), ...this.#skipped],
    });
  }

  #measured(): DensityCell[] {
    const marked = new Map(this.#cells.map(({ place, runs }) => [place.name, mark(runs)] as const));
    const first = this.#cells[0]?.place.way;
    const asked = this.#cells.flatMap(({ place }) => {
      const against = this.#cells.find((cell) => cell.place.way === first && cell.place.vms === place.vms);
      if (place.way === first || !against) return [];
      const of = (name: string) => ({ name, runs: marked.get(name)! });
      return [{ name: place.name, against: of(against.place.name), rung: of(place.name) }];
    });
    const found = compareFigures(asked);
    const comparisons = new Map(
      asked.map(({ name, against }, index) => [name, { against: against.name, ...found[index]! }]),
    );
    return this.#cells.map((cell) => this.#cell(cell, marked.get(cell.place.name)!, comparisons));
  }

  #cell(
    { place, failures }: Gathered,
    runs: DensityRun[],
    comparisons: ReadonlyMap<string, Compared>,
  ): DensityCell {
    if (runs.length === 0) {
      return { ...place, status: "failed", reason: failures[0] ?? "its turn did not come" };
    }
    const { command = "", clientConf = "" } = this.#how.get(place.way) ?? {};
    return {
      ...place,
      status: "measured",
      ...{ command, clientConf, runs },
      summary: {
        ...summarize(runs),
        memory: estimateMedian(runs.map(({ memory }) => memory)),
        slowest: estimateMedian(runs.map(({ slowest }) => slowest)),
      },
      comparison: changesOf(comparisons.get(place.name)),
      note: failures.length > 0 ? `${failures.length} more blocks failed: ${failures[0]}` : undefined,
    };
  }

  #of(name: string): Gathered {
    return this.#cells.find(({ place }) => place.name === name)!;
  }
}

function mark(runs: readonly Omit<DensityRun, "outlier">[]): DensityRun[] {
  return markOutliers(runs).map(({ outlier }, index) => ({ ...runs[index]!, outlier }));
}

/** Undefined where no repeat measured both. */
function changesOf(compared: Compared | undefined): MeasuredDensity["comparison"] {
  const { against, iops, cpuPerIo, latencyP99 } = compared ?? {};
  return against && iops && cpuPerIo && latencyP99 ? { against, iops, cpuPerIo, latencyP99 } : undefined;
}
