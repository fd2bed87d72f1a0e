import type { CurveLoad } from "../load/curve-options.ts";
import type { ProcessorDistance } from "../load/processor-distance.ts";
import type { Run } from "../results/schema.ts";
import type { PlannedClimb } from "../rungs/plan.ts";
import type { SliceTimes } from "./slice.ts";
import type { PlacedSlice } from "./sliced-run.ts";
import type { StoodVm } from "./standing-vm.ts";

export interface BlockPlan {
  /** From 0. */
  block: number;
  /** Each round visits all rungs in order and in reverse. */
  rounds: number;
  times: SliceTimes;
  /** The points of response curves, measured in each VM after the rounds. */
  points: readonly CurveLoad[];
  /** fio's output goes to `fio/RUNG-BLOCK.json` in it. */
  directory: string;
}

/** The part of the ladder that a block needs. */
export interface BlockHooks {
  /** Boots a rung's VM, starts the load in it, and stops it. */
  stand(rung: PlannedClimb, signal: AbortSignal): Promise<StoodVm>;
  /** Whether no other VM may run while its VM boots. */
  bootsAlone(rung: PlannedClimb): boolean;
  /** Called with the error of one rung; throws errors that affect all rungs. */
  failed(rung: PlannedClimb, error: unknown): void;
  /** Called with a rung's slices so far, between measurements. */
  sliced?(rung: PlannedClimb, slices: readonly PlacedSlice[], started: string): Promise<void>;
  done(rung: PlannedClimb, run: Omit<Run, "outlier" | "repeat" | "order">): void;
  report(text: string): void;
  osdPids(): readonly number[];
  distance?: Pick<ProcessorDistance, "measure">;
  signal: AbortSignal;
}
