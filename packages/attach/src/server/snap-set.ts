import { NO_SNAP, type SnapSet } from "@siphon/rados";
import type { Extent } from "../extent-source.ts";

type Clone = SnapSet["clones"][number];

/** How large an object was at a snapshot, or is now (NO_SNAP), in bytes; undefined where it did not exist. */
export function existsAt(snapSet: SnapSet | undefined, snapId: number): number | undefined {
  return snapSet?.clones.find((clone) => covers(clone, snapSet, snapId))?.size;
}

/** What changed in an object from a snapshot to a later one, or to now (NO_SNAP): extents in order, from its start. */
export function changesBetween(snapSet: SnapSet | undefined, from: number, to: number): Extent[] {
  if (snapSet === undefined) return [];
  const { clones } = snapSet;
  const first = clones.findIndex((clone) => covers(clone, snapSet, from));
  const last = clones.findIndex((clone) => covers(clone, snapSet, to));
  const sizeBefore = clones[first]?.size ?? 0;
  const sizeNow = clones[last]?.size ?? 0;
  if (first < 0) return extents([[0, sizeNow]], sizeNow);
  if (last < 0) return extents([[0, sizeBefore]], 0);
  let changed: [start: number, end: number][] = [];
  for (let i = first; i < last; i++) {
    const size = Math.max(clones[i]!.size, clones[i + 1]!.size);
    changed = changed.concat(without(size, clones[i]!.overlap));
  }
  return extents(merged(changed), sizeNow);
}

/** A clone stands for its snapshots; the object as it is now for all that are newer than its last change, too. */
function covers(clone: Clone, { seq }: SnapSet, snapId: number): boolean {
  if (clone.id === NO_SNAP) return snapId === NO_SNAP || snapId > seq;
  return clone.snaps.includes(snapId);
}

/** What of `size` bytes is not in the overlaps, which come in order. */
function without(size: number, overlaps: Clone["overlap"]): [number, number][] {
  const left: [number, number][] = [];
  let at = 0;
  for (const { offset, length } of overlaps) {
    if (offset > at) left.push([at, offset]);
    at = offset + length;
  }
  if (size > at) left.push([at, size]);
  return left;
}

function merged(ranges: [number, number][]): [number, number][] {
  const row: [number, number][] = [];
  for (const [start, end] of ranges.toSorted(([a], [b]) => a - b)) {
    const last = row.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else row.push([start, end]);
  }
  return row;
}

/** Ranges that changed, as extents with the unchanged ones between; what lies beyond `size` is zeros now. */
function extents(changed: readonly [number, number][], size: number): Extent[] {
  const row: Extent[] = [];
  const add = (kind: Extent["kind"], length: number): void => {
    if (length > 0) row.push({ kind, length });
  };
  let at = 0;
  for (const [start, end] of changed) {
    add("same", start - at);
    add("data", Math.min(end, size) - Math.min(start, size));
    add("zero", Math.max(end, size) - Math.max(start, size));
    at = end;
  }
  return row;
}
