import { Reader } from "@siphon/wire";
import { opCode } from "../../objecter/op-code.ts";
import { NO_SNAP } from "../../objecter/snap-context.ts";
import type { Op } from "../op.ts";
import { type Extent, readExtents } from "./extents.ts";

/** The clones of an object, kept for its snapshots. */
export interface SnapSet {
  /** The newest snapshot that the object was written under. */
  seq: number;
  /** Oldest first; the object as it is now comes last, if it exists. */
  clones: Clone[];
}

export interface Clone {
  /** NO_SNAP for the object as it is now. */
  id: number;
  /** The snapshots that see this clone. */
  snaps: number[];
  /** Extents that are the same in the next newer one. */
  overlap: Extent[];
  /** Bytes. */
  size: number;
}

/** snap: u64 snapshot. */
export function rollback(snapId: number): Op<void> {
  return {
    code: opCode.rollback,
    writeArguments: (ops, at) => ops.setU64(at, snapId),
    decode: () => {},
  };
}

/**
 * obj_list_snap_response_t (src/include/rados/rados_types.hpp, src/osd/osd_types.cc): versioned; list of clones, u64 seq. A
 * clone: versioned; u64 id, list of u64 snapshots, list of u64 offset and u64 length, u64 size.
 */
export function listSnaps(): Op<SnapSet> {
  return {
    code: opCode.listSnaps,
    decode: (output) =>
      new Reader(output, "snapshots of an object").versioned("obj_list_snap_response_t", 2, (r) => {
        const clones = r.list(6, readClone);
        return { clones, seq: r.u64Number() };
      }),
  };
}

function readClone(r: Reader): Clone {
  return r.versioned("clone_info", 1, () => {
    const id = r.i64();
    return {
      id: id === BigInt(NO_SNAP) ? NO_SNAP : Number(id),
      snaps: r.list(8, () => r.u64Number()),
      overlap: readExtents(r),
      size: r.u64Number(),
    };
  });
}
