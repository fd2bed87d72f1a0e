/** Bytes from `start` up to `end`. */
export interface Interval {
  readonly start: number;
  readonly end: number;
}

/** In ascending order, with gaps between them. */
export type Intervals = readonly Interval[];

/** The union of any intervals. */
export function union(intervals: Iterable<Interval>): Intervals {
  const sorted = [...intervals].filter(({ start, end }) => start < end).sort((a, b) => a.start - b.start);
  const joined: Interval[] = [];
  for (const { start, end } of sorted) {
    const last = joined.at(-1);
    if (last === undefined || start > last.end) joined.push({ start, end });
    else joined[joined.length - 1] = { start: last.start, end: Math.max(last.end, end) };
  }
  return joined;
}

/** `all` without `less`. */
export function subtract(all: Intervals, less: Intervals): Intervals {
  return all.flatMap((interval) => {
    const parts: Interval[] = [];
    let { start } = interval;
    for (const hole of less) {
      if (hole.end <= start || hole.start >= interval.end) continue;
      parts.push({ start, end: hole.start });
      start = hole.end;
    }
    parts.push({ start, end: interval.end });
    return parts.filter((part) => part.start < part.end);
  });
}

/** The part from `start` up to `end`. */
export function clip(intervals: Intervals, start: number, end: number): Intervals {
  return intervals
    .map((interval) => ({ start: Math.max(interval.start, start), end: Math.min(interval.end, end) }))
    .filter((interval) => interval.start < interval.end);
}
