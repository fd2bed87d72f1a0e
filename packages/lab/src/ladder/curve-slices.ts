import type { CurveLoad } from "../load/curve-options.ts";
import { disturbance } from "../results/figures.ts";
import { isDisturbed } from "../results/quiet.ts";
import type { CurvePoint } from "../results/schema.ts";
import { measureSlice, type SliceTimes } from "./slice.ts";
import type { StoodVm } from "./standing-vm.ts";

/** Warm-up for the image's lock and the queue; caches are already warm. */
const WARMUP_SECONDS = 0.3;

/**
 * Measures a point of a response curve in a stopped VM: one slice with its own load. I/Os, time and CPU are from the
 * slice; latency is from fio's whole run, which is only slightly longer. A disturbed slice is repeated once if `again`
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
