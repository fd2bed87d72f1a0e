import { Writer } from "@siphon/wire";
import { opCode } from "../../objecter/op-code.ts";
import { NO_SNAP } from "../../objecter/snap-context.ts";
import type { Op } from "../op.ts";

/** The object that is copied. */
export interface CopySource {
  poolId: number;
  name: string;
  namespace?: string;
  key?: string;
  /** As it was at this snapshot. */
  snapId?: number;
  /** Fails where it has another version. */
  version?: number;
}

/**
 * copy_from: u64 snapshot, u64 version (0: any), u8 flags, u32 advice; input: string name, then its place, object_locator_t
 * (src/osd/osd_types.cc): versioned; i64 pool, i32 -1, string key, string namespace, i64 hash (-1: none).
 */
export function copyFrom(source: CopySource): Op<void> {
  const { poolId, name, namespace = "", key = "", snapId = NO_SNAP, version = 0 } = source;
  const w = new Writer().string(name);
  w.versioned(6, 3, () => w.u64(poolId).i32(-1).string(key).string(namespace).u64(-1));
  return {
    code: opCode.copyFrom,
    writeArguments: (ops, at) => {
      ops.setU64(at, snapId);
      ops.setU64(at + 8, version);
    },
    input: w.finish(),
    decode: () => {},
  };
}
