import { setTimeout as sleep } from "node:timers/promises";
import { endsSoon, isRunning, type ProcessId } from "../../host/proc.ts";
import type { Collected, CollectOptions } from "./backend.ts";
import { isDenied } from "./denied.ts";

export type Rounds = Pick<Collected, "rounds" | "cutShort" | "sampleMs">;

/**
 * Samples a process repeatedly until the time is over. The pause between two samples is the rest of the interval, but
 * not shorter than the last sample, so that a slow backend does not stop the process for most of the time. The end of
 * the process or an abort ends sampling early; the samples so far count.
 */
export async function sampleRounds(
  id: ProcessId,
  { seconds, intervalMs, signal, report }: CollectOptions,
  look: () => Promise<void>,
): Promise<Rounds> {
  const sampleMs: number[] = [];
  const end = performance.now() + seconds * 1000;
  let said = Number.POSITIVE_INFINITY;
  const result = (cutShort?: Rounds["cutShort"]): Rounds => ({ rounds: sampleMs.length, cutShort, sampleMs });
  for (;;) {
    const begun = performance.now();
    if (signal?.aborted) return result("interrupted");
    if (!isRunning(id)) return result("the process ended");
    try {
      await look();
    } catch (error) {
      if (isDenied(error) || !(await endsSoon(id))) throw error;
      return result("the process ended");
    }
    const now = performance.now();
    sampleMs.push(now - begun);
    const left = Math.max(0, Math.round((end - now) / 1000));
    if (left < said)
      report(`${sampleMs.length === 1 ? "1 sample" : `${sampleMs.length} samples`}, ${left} s to go`);
    said = left;
    const pause = Math.max(intervalMs - (now - begun), now - begun);
    if (now + pause >= end) return result();
    await sleep(pause, undefined, { signal }).catch(() => {});
  }
}
