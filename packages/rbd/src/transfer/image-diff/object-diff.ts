import { NO_SNAP, type SnapSet } from "@siphon/rados";
import { clip, type Intervals, subtract, union } from "./intervals.ts";

/** The changes of an object between two snapshots. */
export interface ObjectDiff {
  /** Bytes that were written. */
  readonly data: Intervals;
  /** Bytes that became zeros, because the object was truncated or removed. */
  readonly zeros: Intervals;
}

/**
 * Changes of an object between two snapshots, from its clones (src/librados/snap_set_diff.cc, ObjectListSnapsRequest in
 * src/librbd/io/ObjectRequest.cc).
 *
 * @param from a snapshot's id; 0: before the object existed
 * @param to a snapshot's id, or NO_SNAP for the current object
 * @param wholeObject whether an object with any change counts as changed completely
 */
export function objectDiff(
  snapSet: SnapSet,
  from: number,
  to: number,
  objectSize: number,
  wholeObject = false,
): ObjectDiff {
  const before = from === 0 ? undefined : changes(snapSet, 0, from, objectSize);
  const { changed: touched, size, exists } = changes(snapSet, from, to, objectSize);
  if (wholeObject && touched.length > 0) {
    const whole = [{ start: 0, end: objectSize }];
    return exists ? { data: whole, zeros: [] } : { data: [], zeros: whole };
  }
  // Bytes that were written and truncated again read as zeros; since Ceph 17, rbd omits them.
  const changed = exists ? clip(touched, 0, size) : touched;
  const sizeBefore = before?.size ?? 0;
  const cutOff = size < sizeBefore ? [{ start: size, end: sizeBefore }] : [];
  const data = subtract(changed, cutOff);
  return exists ? { data, zeros: cutOff } : { data: [], zeros: union([...cutOff, ...data]) };
}

/** The bytes that may differ, and the final state of the object. */
interface Changes {
  readonly changed: Intervals;
  /** Size of the object at the end, in bytes. */
  readonly size: number;
  readonly exists: boolean;
}

function changes({ clones, seq }: SnapSet, from: number, to: number, objectSize: number): Changes {
  const end = to === NO_SNAP ? Number.POSITIVE_INFINITY : to;
  const changed: { start: number; end: number }[] = [];
  let sizeAtStart: number | undefined;
  for (const [index, clone] of clones.entries()) {
    const isHead = clone.id === NO_SNAP;
    // An OSD that lost a clone's snapshots does not know the object's history.
    if (!isHead && clone.snaps.length === 0) {
      return { changed: [{ start: 0, end: objectSize }], size: objectSize, exists: true };
    }
    const first = isHead ? seq + 1 : clone.snaps[0]!;
    const last = isHead ? Number.POSITIVE_INFINITY : clone.snaps.at(-1)!;
    if (last < from) continue;
    if (sizeAtStart === undefined) {
      const isNew = from < first;
      if (isNew) changed.push({ start: 0, end: clone.size });
      sizeAtStart = isNew ? 0 : clone.size;
    }
    if (end < first) break;
    if (end <= last) return { changed: union(changed), size: clone.size, exists: true };
    const next = clones[index + 1];
    const longest = Math.max(clone.size, next?.size ?? 0);
    const common = union(
      clone.overlap.map(({ offset, length }) => ({ start: offset, end: offset + length })),
    );
    changed.push(...subtract([{ start: 0, end: longest }], common));
  }
  // The object no longer exists at the end: all of its initial data is gone.
  return { changed: union([{ start: 0, end: sizeAtStart ?? 0 }]), size: 0, exists: false };
}
