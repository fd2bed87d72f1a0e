import { readFileSync } from "node:fs";

/**
 * Memory of a process in bytes, with shared pages counted proportionally (PSS); undefined if it has ended, or belongs
 * to another user. Source: proc(5), /proc/PID/smaps_rollup.
 */
export function proportionalMemory(pid: number): number | undefined {
  try {
    const [, kilobytes] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}
