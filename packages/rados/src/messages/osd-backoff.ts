import type { Reader } from "@siphon/wire";
import type { IncomingMessage, OutgoingMessage } from "../messenger/message.ts";
import { type ObjectPosition, readObjectPosition } from "../osdmap/object-position.ts";
import { readPgId } from "../osdmap/pg.ts";
import { messageType } from "./types.ts";

/** An OSD that cannot serve a range of objects for a while, or can again. */
export interface OsdBackoff {
  poolId: number;
  seed: number;
  shard: number;
  op: number;
  id: bigint;
  /** The objects from this one up to `end`, without that. */
  begin: ObjectPosition;
  end: ObjectPosition;
  /** The message as it came. */
  front: Buffer;
  /** Where in it the operation is. */
  opAt: number;
}

export const backoffBlock = 1;
const backoffAckBlock = 2;
export const backoffUnblock = 3;

/**
 * MOSDBackoff (src/messages/MOSDBackoff.h), version 1: spg_t, u32 epoch, u8 operation (1 block, 2 block
 * acknowledged, 3 unblock), u64 id, hobject_t begin, hobject_t end.
 */
export function readOsdBackoff(message: IncomingMessage): OsdBackoff {
  const r: Reader = message.readFront("MOSDBackoff");
  const { pg, shard } = r.versioned("spg_t", 1, () => ({ pg: readPgId(r), shard: (r.u8() << 24) >> 24 }));
  r.skip(4);
  const opAt = r.position;
  const op = r.u8();
  const id = r.u64();
  const [begin, end] = [readObjectPosition(r), readObjectPosition(r)];
  return { poolId: pg.pool, seed: pg.seed, shard, op, id, begin, end, front: r.bytes, opAt };
}

/** Says that a block was understood: it repeats all of it. */
export function osdBackoffAck({ front, opAt }: OsdBackoff): OutgoingMessage {
  const ack = Buffer.from(front);
  ack[opAt] = backoffAckBlock;
  return { type: messageType.osdBackoff, front: ack };
}
