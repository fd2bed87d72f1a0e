import { readFileSync } from "node:fs";
import { withHostPaths } from "../../roots/enter.ts";

/** A part of a process's address space that holds code. */
export interface Region {
  from: bigint;
  to: bigint;
  /** The mapped file, or a name such as `[vdso]`; empty for generated code. */
  path: string;
}

/** /proc/PID/maps; undefined if the process has ended or is not readable. */
export function readMaps(pid: number): string | undefined {
  try {
    return withHostPaths(readFileSync(`/proc/${pid}/maps`, "utf8"), pid) || undefined;
  } catch {
    return undefined;
  }
}

/**
 * The executable regions of a map, sorted by address. Source: proc(5).
 *
 *     7ff3e1845000-7ff3e1e93000 r-xp 00245000 fe:00 131127    /usr/lib/libfoo.so.2 (deleted)
 */
export function parseMaps(text: string): Region[] {
  return text.split("\n").flatMap((line) => {
    const [, from, to, path] = /^([0-9a-f]+)-([0-9a-f]+) ..x. \S+ \S+ \S+\s*(.*)$/.exec(line) ?? [];
    if (from === undefined) return [];
    return [{ from: BigInt(`0x${from}`), to: BigInt(`0x${to}`), path: path.replace(/ \(deleted\)$/, "") }];
  });
}

/** The region with an address. */
export function regionOf(regions: readonly Region[], address: bigint): Region | undefined {
  return regions.find(({ from, to }) => address >= from && address < to);
}
