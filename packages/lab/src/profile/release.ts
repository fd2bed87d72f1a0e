import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { isRunning, type ProcessId } from "../host/proc.ts";

/** The process that traces another, such as a debugger. */
export function tracerOf(pid: number): { pid: number; name: string } | undefined {
  const tracer = Number(/^TracerPid:\s*(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
  return tracer === 0 ? undefined : { pid: tracer, name: read(`/proc/${tracer}/comm`).trim() };
}

/** Whether threads of the process are stopped by a signal (SIGSTOP), until SIGCONT. */
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
 * Makes sure that a process continues after sampling. A tracer that is killed after it stopped a thread leaves the
 * thread stopped.
 */
export async function letGo(id: ProcessId): Promise<void> {
  for (let tries = 0; tries < 20 && isRunning(id); tries++) {
    if (!holdsStopped(id.pid)) return;
    try {
      process.kill(id.pid, "SIGCONT");
    } catch {
      return; // it has ended since the check
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
