import { join } from "node:path";

/** `OUT/2026-03-14T09-26-53`, with `-label` if given: the output directory of one call. */
export function datedDirectory(out: string, label?: string, at = new Date()): string {
  const time = at.toISOString().slice(0, 19).replaceAll(":", "-");
  const suffix = label === undefined ? "" : `-${label.replace(/[^A-Za-z0-9._-]/g, "_")}`;
  return join(out, time + suffix);
}
