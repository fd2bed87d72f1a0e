import { Writer } from "@siphon/wire";
import type { Connection } from "../messenger/connection.ts";
import { supportedFeatures } from "../messenger/features.ts";
import { writeU64 } from "../messenger/u64.ts";
import { requestFlag } from "../objecter/op-code.ts";
import type { ObjectRequest } from "../objecter/request.ts";
import type { ObjectTarget } from "../objecter/target.ts";
import { messageType } from "./types.ts";

/**
 * MOSDOp (src/messages/MOSDOp.h), version 8:
 *
 *       0  spg_t: u8 1, u8 1, u32 18; pg_t: u8 1, i64 pool, u32 seed, i32 -1; i8 shard
 *      24  u32 hash of the object's name
 *      28  u32 epoch of the OSD map
 *      32  u32 flags
 *      36  osd_reqid_t: u8 2, u8 2, u32 21; u8 8 (a client), i64 global id, u64 transaction id, i32 incarnation
 *      63  3 x u64 for tracing
 *      87  u32 incarnation
 *      91  utime of a write
 *      99  object_locator_t: u8 6, u8 3, u32 length; i64 pool, i32 -1, string key, string namespace, i64 hash (-1)
 *          string object name
 *          --- this far the template
 *          u16 count, and as many operations (see OpList)
 *          u64 snapshot to read; snap context: u64 seq, list of u64
 *          i32 attempt, u64 features
 *
 * Data: the inputs of all operations.
 */
export function sendOsdOp(connection: Connection, request: ObjectRequest, client: ClientId): void {
  const { ops, dispatch, snapContext } = request;
  const { snaps } = snapContext;
  const template = dispatch.place.template!;
  const opsAt = template.length + 2;
  const frontLength = opsAt + ops.length + tailBytes + 8 * snaps.length;
  const data = connection.gathers ? gatheredInput(request) : undefined;
  connection.begin(frontLength, 0, ops.inputBytes, data);
  const { bytes, view } = connection.region;
  const front = connection.frontAt;
  bytes.set(template, front);
  const retry = dispatch.attempts > 0 ? requestFlag.retry : 0;
  view.setUint32(front + flagsAt, dispatch.flags | retry, true);
  view.setUint32(front + clientAt, client.low, true);
  view.setUint32(front + clientAt + 4, client.high, true);
  writeU64(view, front + tidAt, dispatch.tid);
  if ((dispatch.flags & requestFlag.write) !== 0) {
    view.setUint32(front + timeAt, dispatch.writtenAt / 1000, true);
    view.setUint32(front + timeAt + 4, (dispatch.writtenAt % 1000) * 1_000_000, true);
  }
  let at = front + template.length;
  view.setUint16(at, ops.count, true);
  at += 2;
  ops.writeTo(view, at);
  at += ops.length;
  writeU64(view, at, request.snapId);
  writeU64(view, at + 8, snapContext.seq);
  view.setUint32(at + 16, snaps.length, true);
  at += 20;
  for (let i = 0; i < snaps.length; i++, at += 8) writeU64(view, at, snaps[i]!);
  view.setInt32(at, dispatch.attempts, true);
  view.setUint32(at + 4, featuresLow, true);
  view.setUint32(at + 8, featuresHigh, true);
  let inputAt = connection.dataAt;
  for (let op = 0; op < ops.count && data === undefined; op++) {
    const length = ops.inputLength(op);
    if (length === 0) continue;
    request.fill(op, bytes, inputAt);
    inputAt += length;
  }
  connection.commit(messageType.osdOp, 8, 3, priority, dispatch.tid);
}

/** The input of the only operation that has one, if it is worth sending from where it is. */
function gatheredInput(request: ObjectRequest): Uint8Array | undefined {
  const { ops } = request;
  if (ops.inputBytes < leastInPlace) return undefined;
  for (let op = 0; op < ops.count; op++) {
    if (ops.inputLength(op) === ops.inputBytes) return request.inputInPlace(op);
  }
  return undefined;
}

/** Less is copied, so that what is sent together lies together. */
const leastInPlace = 128 * 1024;

/** The number that the monitors gave this client, in halves. */
export interface ClientId {
  readonly low: number;
  readonly high: number;
}

/** The beginning of every request to an object; `placeTemplate` fills in its place. */
export function osdOpTemplate({ poolId, name, namespace, key, hash }: ObjectTarget): Buffer {
  const w = new Writer(256);
  w.u8(1).u8(1).u32(18).u8(1).u64(poolId).u32(0).i32(-1).u8(0xff);
  w.u32(hash).u32(0).u32(0);
  w.u8(2).u8(2).u32(21).u8(8).u64(0).u64(0).u32(0);
  w.zeros(24).u32(0).zeros(8);
  w.versioned(6, 3, () => w.u64(poolId).i32(-1).string(key).string(namespace).u64(-1n));
  w.string(name);
  return Buffer.from(w.finish());
}

export function placeTemplate(template: Buffer, seed: number, shard: number, epoch: number): void {
  template.writeUInt32LE(seed, seedAt);
  template.writeInt8(shard, shardAt);
  template.writeUInt32LE(epoch, epochAt);
}

const seedAt = 15;
const shardAt = 23;
const epochAt = 28;
const flagsAt = 32;
const clientAt = 43;
const tidAt = 51;
const timeAt = 91;
/** Behind the operations, without the ids of snapshots. */
const tailBytes = 8 + 8 + 4 + 4 + 8;
/** osd_client_op_priority */
const priority = 63;
const featuresLow = Number(supportedFeatures & 0xffff_ffffn);
const featuresHigh = Number(supportedFeatures >> 32n);
