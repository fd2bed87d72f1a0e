import { LabError } from "../errors.ts";
import type { PlannedClimb } from "../rungs/plan.ts";
import type { BlockHooks, BlockPlan } from "./block-plan.ts";
import { measureSlice, type SliceFigures } from "./slice.ts";
import type { PlacedSlice } from "./sliced-run.ts";
import type { Stand, Stands } from "./stands.ts";

/** Works on a rung's VM. If that hangs or crashes it is booted again, and the work is done again. */
export async function onVm(
  rung: PlannedClimb,
  stands: Stands,
  plan: BlockPlan,
  hooks: BlockHooks,
  work: (stand: Stand) => Promise<void>,
): Promise<boolean> {
  return forRung(rung, hooks, async () => {
    const stand = stands.get(rung)!;
    try {
      await work(stand);
    } catch (error) {
      hooks.signal.throwIfAborted();
      if (!mayBootAgain(stand, error)) throw error;
      await bootAgain(stand, error, plan, hooks);
      await work(stand);
    }
  });
}

/** Whether a VM hangs, has crashed, or ran by a wrong clock, and did not do so before in this block. */
export function mayBootAgain({ hung }: Stand, error: unknown): error is LabError {
  return hung === undefined && error instanceof LabError && error.retryable && error.code !== "SIPHON_VM";
}

/**
 * Boots a rung's VM again. A run belongs to one boot and one fio, so the lost VM's slices are measured again at once,
 * although the neighbours' slices were measured earlier.
 */
export async function bootAgain(
  stand: Stand,
  why: LabError,
  plan: BlockPlan,
  hooks: BlockHooks,
): Promise<void> {
  hooks.report(`booting the VM of ${stand.rung.rung.name} again: ${why.message}`);
  stand.hung = why.message;
  await stand.vm[Symbol.asyncDispose]();
  stand.vm = await hooks.stand(stand.rung, hooks.signal);
  if (stand.run) {
    // The rounds are over: only a point of a curve is lost.
    await stand.vm.end(hooks.signal);
    await stand.vm.pause();
    return;
  }
  const places = new Map(stand.slices.map(({ round, way }) => [`${round} ${way}`, { round, way }]));
  Object.assign(stand, { started: new Date().toISOString(), slices: [] });
  for (const place of places.values()) await measurePlace(stand, place, plan, hooks);
}

/** Returns false after reporting a failure of this rung only. */
export async function forRung(
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

export async function measurePlace(
  { vm, slices }: Stand,
  place: Pick<PlacedSlice, "round" | "way">,
  { times }: BlockPlan,
  { osdPids, distance, signal }: BlockHooks,
): Promise<SliceFigures> {
  const figures = await measureSlice(vm, times, osdPids(), signal, distance);
  slices.push({ ...figures, ...place });
  return figures;
}
