import { get, isTree, type Tree } from "./key-values.ts";

const names = /^(throttling\.|x-)?(bps|iops)([-_](total|read|write|rd|wr))?([-_]max)?$/;

/** The limits in a drive's options or a throttle group, in words; undefined if there are none. */
export function throttleOf(tree: Tree): string | undefined {
  const nested = get(tree, "throttling");
  const entries = [...Object.entries(tree), ...(isTree(nested) ? Object.entries(nested) : [])];
  const limits = entries.flatMap(([key, value]) => {
    const match = names.exec(key);
    const number = typeof value === "object" ? Number.NaN : Number(value);
    if (match === null || !Number.isFinite(number) || number <= 0) return [];
    return [`${key.replace(/^throttling\.|^x-/, "")} ${number}`];
  });
  const group = isTree(nested) ? nested.group : undefined;
  return limits.length === 0
    ? undefined
    : limits.join(", ") + (typeof group === "string" ? ` (group ${group})` : "");
}
