import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Stops processes (SIGSTOP), and resolves when none of their threads runs any more: on a busy machine other threads run
 * until the one that takes the signal is scheduled. Disposing of the result resumes the processes.
 */
export async function frozen(pids: readonly number[]): Promise<Disposable> {
  for (const pid of pids) process.kill(pid, "SIGSTOP");
  while (!pids.every(isStopped)) await sleep(5);
  return {
    [Symbol.dispose]() {
      for (const pid of pids) process.kill(pid, "SIGCONT");
    },
  };
}

function isStopped(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every((thread) => {
    try {
      return / \(.*\) [Tt] /s.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8"));
    } catch {
      return true; // It has ended.
    }
  });
}
