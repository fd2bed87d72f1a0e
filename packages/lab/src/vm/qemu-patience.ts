import { Patience } from "../host/patience.ts";
import { cpuSeconds } from "../host/proc.ts";

/**
 * Patience with a QEMU that opens its disks, or whose guest boots. On a busy machine both may take minutes, so progress
 * is the CPU time that QEMU gets. It waits no longer for one that hangs: an idle one uses little CPU time, and one that
 * loops uses more than a boot needs.
 *
 * @param seconds the CPU time of a process; undefined after its end
 */
export function qemuPatience(pid: number, seconds = cpuSeconds, now?: () => number): Patience {
  const steps = () => Math.min(Math.floor((seconds(pid) ?? 0) / STEP_SECONDS), MOST_STEPS);
  return new Patience({ progress: steps, quietMs: QUIET_MS, atMostMs: AT_MOST_MS, ...(now && { now }) });
}

/** CPU seconds. */
const STEP_SECONDS = 1;
/** The emulated small guest boots in four CPU seconds here, and uses one in three minutes when it idles. */
const MOST_STEPS = 60;
const QUIET_MS = 120_000;
const AT_MOST_MS = 300_000;
