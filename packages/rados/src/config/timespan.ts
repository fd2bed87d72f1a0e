/** Seconds of each unit, as Ceph names them; a month has 30 days and a year 365. */
const units: ReadonlyMap<string, number> = new Map(
  (
    [
      [1, "s sec second seconds"],
      [60, "m min minute minutes"],
      [3600, "h hr hour hours"],
      [86_400, "d day days"],
      [7 * 86_400, "w wk week weeks"],
      [30 * 86_400, "mo month months"],
      [365 * 86_400, "y yr year years"],
    ] as const
  ).flatMap(([seconds, names]) => names.split(" ").map((name) => [name, seconds])),
);

/**
 * Seconds of a setting: `30`, `2.5`, `30s`, `1h 30m`. Source: parse_timespan in src/common/ceph_time.cc.
 *
 * @returns undefined for other text
 */
export function parseTimespan(text: string): number | undefined {
  if (/^\s*\d+(\.\d*)?\s*$/.test(text)) return Number(text);
  if (!/^(\s*\d+\s*[a-z]+)+\s*$/.test(text)) return undefined;
  let sum = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)\s*([a-z]+)/g)) {
    const seconds = units.get(unit!);
    if (seconds === undefined) return undefined;
    sum += Number(count) * seconds;
  }
  return sum;
}
