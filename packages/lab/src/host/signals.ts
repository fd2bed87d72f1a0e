import { setTimeout as sleep } from "node:timers/promises";
import { isRunning, type ProcessId, processId } from "./proc.ts";

/**
 * Ends processes: SIGTERM, then SIGKILL after `graceMs`. Without a grace period (the default), SIGKILL at once: daemons
 * of a discarded cluster have nothing to save.
 */
export async function endProcesses(pids: number[], { graceMs = 0 } = {}): Promise<void> {
  const running = pids.map((pid) => processId(pid)).filter((id) => id !== undefined);
  if (graceMs > 0) {
    signalAll(running, "SIGTERM");
    if (await gone(running, graceMs)) return;
  }
  signalAll(running, "SIGKILL");
  await gone(running, 60_000);
}

function signalAll(ids: ProcessId[], signal: NodeJS.Signals): void {
  for (const id of ids) {
    // A stopped process (SIGSTOP) would sleep through SIGTERM.
    for (const each of [signal, "SIGCONT"] as const) {
      try {
        if (isRunning(id)) process.kill(id.pid, each);
      } catch {
        // It ended between the check and the signal.
      }
    }
  }
}

async function gone(ids: ProcessId[], withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (ids.some(isRunning)) {
    if (Date.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}
