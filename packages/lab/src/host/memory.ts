import { readFileSync } from "node:fs";

/**
 * Bytes of memory of a process, where pages that several processes have count in equal parts for each (PSS); undefined when it has
 * ended, or is somebody else's. Source: proc(5), /proc/PID/smaps_rollup.
 */
export function proportionalMemory(pid: number): number | undefined {
  try {
    const [, kilobytes] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}
