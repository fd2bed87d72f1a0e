import type { CurveLoad } from "../load/curve-options.ts";
import { disturbance } from "../results/figures.ts";
import { isDisturbed } from "../results/quiet.ts";
import type { CurvePoint } from "../results/schema.ts";
import { measureSlice, type SliceTimes } from "./slice.ts";
import type { StoodVm } from "./standing-vm.ts";

/** A write gets the image's lock meanwhile, and the queue fills; caches were warm before. */
const WARMUP_SECONDS = 0.3;

/**
 * Measures a point of a response curve in a VM that stands: one slice with a load of its own. I/Os, time and CPU are those of the
 * slice; latency is what fio says of its whole run, which is hardly longer. A slice that others disturbed is made once more if `again`
 * allows it, and the quieter one counts.
 */
export async function measurePoint(
  standing: StoodVm,
  { mix, depth, job }: CurveLoad,
  { times, osdPids, again }: { times: SliceTimes; osdPids: readonly number[]; again: () => boolean },
  signal: AbortSignal,
): Promise<CurvePoint> {
  const measure = async () => {
    await standing.load({ ...job, warmupSeconds: WARMUP_SECONDS }, signal);
    const slice = await measureSlice(standing, times, osdPids, signal);
    const { figures } = await standing.end(signal);
    await standing.pause();
    return { slice, latency: figures.latency };
  };
  let best = await measure();
  if (isDisturbed(best.slice) && again()) {
    const second = await measure();
    if (disturbance(second.slice) < disturbance(best.slice)) best = second;
  }
  const { latency } = best;
  const { seconds, ios, client, osds } = best.slice;
  return {
    ...{ mix, depth, seconds, latency },
    ios: Math.round(ios),
    iops: ios / seconds,
    cpu: client.user + client.system,
    ...(osds && { osds: osds.user + osds.system }),
  };
}
