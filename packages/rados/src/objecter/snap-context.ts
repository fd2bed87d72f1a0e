/** Stands for "the object as it is now", where a snapshot's id could be (CEPH_NOSNAP). */
export const NO_SNAP = -2;
/** All clones of an object at once, for listing them (CEPH_SNAPDIR). */
export const SNAP_DIR = -1;

/** The snapshots that a write must preserve: the newest id there is, and the ids, newest first. */
export interface SnapContext {
  readonly seq: number;
  readonly snaps: readonly number[];
}

export const noSnapshots: SnapContext = { seq: 0, snaps: [] };
