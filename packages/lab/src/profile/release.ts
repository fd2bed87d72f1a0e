import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { isRunning, type ProcessId } from "../host/proc.ts";

/** The process that traces another, such as a debugger. */
export function tracerOf(pid: number): { pid: number; name: string } | undefined {
  const tracer = Number(/^TracerPid:\s*(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
  return tracer === 0 ? undefined : { pid: tracer, name: read(`/proc/${tracer}/comm`).trim() };
}

/** Whether threads of the process are stopped by a signal (SIGSTOP), which nobody but SIGCONT ends. */
export function holdsStopped(pid: number): boolean {
  let threads: string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return false;
  }
  return threads.some((tid) => /^State:\s*T\b.*stopped/m.test(read(`/proc/${pid}/task/${tid}/status`)));
}

/**
 * Makes sure that a process runs on after it was sampled. A tracer that was killed between stopping a thread
 * and looking at it leaves it stopped.
 */
export async function letGo(id: ProcessId): Promise<void> {
  for (let tries = 0; tries < 20 && isRunning(id); tries++) {
    if (!holdsStopped(id.pid)) return;
    try {
      process.kill(id.pid, "SIGCONT");
    } catch {
      return; // it has ended since we looked
    }
    await sleep(50);
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
