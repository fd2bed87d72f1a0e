import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { atMost } from "../host/at-most.ts";
import type { CurveLoad } from "../load/curve-options.ts";
import { isDisturbed } from "../results/quiet.ts";
import type { CurvePoint, Run } from "../results/schema.ts";
import type { PlannedClimb } from "../rungs/plan.ts";
import { measurePoint } from "./curve-slices.ts";
import { measureSlice, type SliceFigures, type SliceTimes } from "./slice.ts";
import { type PlacedSlice, runOf } from "./sliced-run.ts";
import type { StandingVm } from "./standing-vm.ts";

/** So many more slices than planned are made again at most, as a share. */
const AGAIN = 0.2;

/** While one waits for its guest or its cluster, the other has the processors. */
const AT_ONCE = 2;

export interface BlockPlan {
  /** From 0. */
  block: number;
  /** Each visits all rungs there and back. */
  rounds: number;
  times: SliceTimes;
  /** The points of response curves, which each VM is measured at once the rounds are over. */
  points: readonly CurveLoad[];
  /** fio's output goes to `fio/RUNG-BLOCK.json` in it. */
  directory: string;
}

/** The part of the ladder that a block needs. */
export interface BlockHooks {
  /** Boots a rung's VM, starts the load in it, and stops it. */
  stand(rung: PlannedClimb, signal: AbortSignal): Promise<StandingVm>;
  /** Whether it must be alone while its VM is booted. */
  bootsAlone(rung: PlannedClimb): boolean;
  /** Called with the error of one rung; throws errors that concern all of them. */
  failed(rung: PlannedClimb, error: unknown): void;
  /** Called with a rung's slices so far, while nothing is being measured. */
  sliced?(rung: PlannedClimb, slices: readonly PlacedSlice[], started: string): Promise<void>;
  done(rung: PlannedClimb, run: Omit<Run, "outlier" | "repeat" | "order">): void;
  report(text: string): void;
  osdPids(): readonly number[];
  signal: AbortSignal;
}

/**
 * Measures rungs in one block: each has a VM that is booted once. Rounds of slices visit all of them there and back, so that neighbours are
 * measured within a second of each other, and what drifts evenly cancels between the two ways. Slices during which others used the
 * processors are made again, as long as they are few. Then come the points of curves: each is visited once a block, by all rungs one after
 * the other, and the next block goes the other way.
 */
export async function measureBlock(
  rungs: readonly PlannedClimb[],
  plan: BlockPlan,
  hooks: BlockHooks,
): Promise<void> {
  await using stands = new Stands();
  const alone = rungs.filter(hooks.bootsAlone);
  const together = rungs.filter((rung) => !alone.includes(rung));
  let booted = 0;
  const boot = async (rung: PlannedClimb) => {
    hooks.report(`booting VM ${++booted} of ${rungs.length}, ${rung.rung.name}`);
    await forRung(rung, hooks, async () => stands.add(rung, await hooks.stand(rung, hooks.signal)));
  };
  await atMost(AT_ONCE, together, boot);
  await atMost(1, alone, boot);
  await measureRounds(rungs, stands, plan, hooks);
  const standing = rungs.filter((rung) => stands.has(rung));
  await atMost(AT_ONCE, standing, async (rung) => {
    const ended = await forRung(rung, hooks, () => endLoad(rung, stands, plan, hooks));
    if (!ended || plan.points.length === 0) await handOver(rung, stands, hooks);
  });
  await measurePoints(standing, stands, plan, hooks);
  await atMost(AT_ONCE, standing, (rung) => handOver(rung, stands, hooks));
}

async function measureRounds(
  rungs: readonly PlannedClimb[],
  stands: Stands,
  { rounds, times }: BlockPlan,
  hooks: BlockHooks,
): Promise<void> {
  let spare = Math.ceil(2 * rounds * rungs.length * AGAIN);
  for (let round = 0; round < rounds; round++) {
    for (const way of [0, 1] as const) {
      hooks.report(`round ${round + 1} of ${rounds}, ${way === 0 ? "there" : "and back"}`);
      for (const rung of way === 0 ? rungs : rungs.toReversed()) {
        const stand = stands.get(rung);
        if (!stand) continue;
        const slice = async (): Promise<SliceFigures> => {
          const figures = await measureSlice(stand.vm, times, hooks.osdPids(), hooks.signal);
          stand.slices.push({ ...figures, round, way });
          return figures;
        };
        const worked = await forRung(rung, hooks, async () => {
          if (isDisturbed(await slice()) && spare-- > 0) await slice();
          await hooks.sliced?.(rung, stand.slices, stand.started);
        });
        if (!worked) await stands.remove(rung);
      }
    }
  }
}

/** Ends the load that rounds are made of. */
async function endLoad(
  rung: PlannedClimb,
  stands: Stands,
  { block, directory, points }: BlockPlan,
  { signal }: BlockHooks,
): Promise<void> {
  const stand = stands.get(rung)!;
  const fio = join("fio", `${rung.rung.name}-${block + 1}.json`);
  const { output, figures } = await stand.vm.end(signal);
  await writeFile(join(directory, fio), output);
  stand.run = { started: stand.started, fio, ...runOf(stand.slices, figures) };
  if (points.length > 0) await stand.vm.pause();
}

async function measurePoints(
  rungs: readonly PlannedClimb[],
  stands: Stands,
  { points, block, times }: BlockPlan,
  hooks: BlockHooks,
): Promise<void> {
  const { report, osdPids, signal } = hooks;
  const back = block % 2 === 1;
  let spare = Math.ceil(points.length * rungs.length * AGAIN);
  const again = () => spare-- > 0;
  // A point has one slice in a block, as long as two of the rounds'.
  const slice = { ...times, seconds: 2 * times.seconds };
  for (const point of back ? points.toReversed() : points) {
    report(`curves: ${point.mix} at depth ${point.depth}`);
    for (const rung of back ? rungs.toReversed() : rungs) {
      const stand = stands.get(rung);
      if (!stand) continue;
      const worked = await forRung(rung, hooks, async () => {
        const measuring = { times: slice, osdPids: osdPids(), again };
        stand.points.push(await measurePoint(stand.vm, point, measuring, signal));
      });
      if (!worked) await handOver(rung, stands, hooks);
    }
  }
}

/** Ends a rung's VM, and hands over what was measured. */
async function handOver(rung: PlannedClimb, stands: Stands, { done }: BlockHooks): Promise<void> {
  const stand = stands.get(rung);
  await stands.remove(rung);
  if (stand?.run) done(rung, { ...stand.run, ...(stand.points.length > 0 && { points: stand.points }) });
}

/** Whether it worked; what failed of this rung alone is told. */
async function forRung(
  rung: PlannedClimb,
  { failed, signal }: BlockHooks,
  work: () => Promise<void>,
): Promise<boolean> {
  signal.throwIfAborted();
  try {
    await work();
    return true;
  } catch (error) {
    signal.throwIfAborted();
    failed(rung, error);
    return false;
  }
}

interface Stand {
  vm: StandingVm;
  started: string;
  slices: PlacedSlice[];
  /** The figures of the rounds, once they are over. */
  run?: Omit<Run, "outlier" | "repeat" | "order">;
  points: CurvePoint[];
}

/** The VMs of a block. */
class Stands implements AsyncDisposable {
  readonly #all = new Map<PlannedClimb, Stand>();

  add(rung: PlannedClimb, vm: StandingVm): void {
    this.#all.set(rung, { vm, started: new Date().toISOString(), slices: [], points: [] });
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
