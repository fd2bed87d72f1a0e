import type { CurvePoint, Run } from "../results/schema.ts";
import type { PlannedClimb } from "../rungs/plan.ts";
import type { PlacedSlice } from "./sliced-run.ts";
import type { StoodVm } from "./standing-vm.ts";

/** A rung's VM in a block, and its measurements. */
export interface Stand {
  rung: PlannedClimb;
  vm: StoodVm;
  started: string;
  slices: PlacedSlice[];
  /** The figures of the rounds, after their end. */
  run?: Omit<Run, "outlier" | "repeat" | "order">;
  points: CurvePoint[];
  /** Why it was booted again, if it was. */
  hung?: string;
}

/** The VMs of a block. */
export class Stands implements AsyncDisposable {
  readonly #all = new Map<PlannedClimb, Stand>();

  add(rung: PlannedClimb, vm: StoodVm): void {
    this.#all.set(rung, { rung, vm, started: new Date().toISOString(), slices: [], points: [] });
  }

  has(rung: PlannedClimb): boolean {
    return this.#all.has(rung);
  }

  get(rung: PlannedClimb): Stand | undefined {
    return this.#all.get(rung);
  }

  async remove(rung: PlannedClimb): Promise<void> {
    const stand = this.#all.get(rung);
    this.#all.delete(rung);
    await stand?.vm[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#all.keys()].map((rung) => this.remove(rung)));
  }
}
