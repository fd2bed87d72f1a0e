/** The id for the current object (CEPH_NOSNAP). */
export const NO_SNAP = -2;
/** The id for all clones of an object, to list them (CEPH_SNAPDIR). */
export const SNAP_DIR = -1;

/** The snapshots that a write must preserve: the newest id, and the ids, newest first. */
export interface SnapContext {
  readonly seq: number;
  readonly snaps: readonly number[];
}

export const noSnapshots: SnapContext = { seq: 0, snaps: [] };
