import { type Reader, Writer, writeUuid } from "@siphon/wire";
import type { OutgoingMessage } from "../messenger/message.ts";
import { skipPaxos, writePaxos } from "./paxos.ts";
import { messageType } from "./types.ts";

/** Changes of a pool by the monitors (POOL_OP_* in src/include/ceph_fs.h). */
export const poolOp = {
  createSnapshot: 0x11,
  removeSnapshot: 0x12,
  createSelfManagedSnapshot: 0x21,
  removeSelfManagedSnapshot: 0x22,
} as const;

export interface PoolOp {
  poolId: number;
  op: (typeof poolOp)[keyof typeof poolOp];
  /** Name of a snapshot of the pool. */
  name?: string;
  /** Id of a self-managed snapshot. */
  snapId?: number;
}

/**
 * MPoolOp (src/messages/MPoolOp.h): paxos header, fsid, u32 pool, u32 op, u64 unused, u64 snapshot, string name, u8
 * unused, i16 CRUSH rule (0).
 */
export function poolOpMessage(
  tid: number,
  fsid: string,
  { poolId, op, name, snapId }: PoolOp,
): OutgoingMessage {
  const w = writePaxos(new Writer());
  writeUuid(w, fsid);
  w.u32(poolId)
    .u32(op)
    .u64(0)
    .u64(snapId ?? 0);
  const front = w
    .string(name ?? "")
    .u8(0)
    .u16(0)
    .finish();
  return { type: messageType.poolOp, version: 4, compatVersion: 2, tid, front };
}

export interface PoolOpReply {
  /** 0 or more, or a negative errno. */
  result: number;
  /** u64: the new snapshot, where one was made. */
  output: Buffer;
}

/** MPoolOpReply (src/messages/MPoolOpReply.h): paxos header, fsid, i32 result, u32 epoch, bool whether there is output, blob. */
export function readPoolOpReply(r: Reader): PoolOpReply {
  skipPaxos(r);
  r.skip(16);
  const result = r.i32();
  r.skip(4);
  return { result, output: r.bool() ? r.blob() : Buffer.alloc(0) };
}
