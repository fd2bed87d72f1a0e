import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader, Writer } from "@siphon/wire";
import { poolOp, poolOpMessage, readPoolOpReply } from "../../src/messages/pool-op.ts";

const fsid = "01234567-89ab-cdef-0123-456789abcdef";

test("a pool operation names cluster, pool, what to do and the snapshot", () => {
  const change = { poolId: 3, op: poolOp.removeSelfManagedSnapshot, snapId: 0x1_0000_0002 };
  const { type, version, front } = poolOpMessage(9, fsid, change);
  assert.deepEqual([type, version], [49, 4]);
  assert.equal(
    Buffer.from(front).toString("hex"),
    `${"00".repeat(8)}ffff${"00".repeat(8)}${fsid.replaceAll("-", "")}` +
      `0300000022000000${"00".repeat(8)}0200000001000000${"00".repeat(4)}000000`,
  );
});

test("the answer brings the number of a new snapshot, or an error", () => {
  const answer = (result: number, output?: Uint8Array) => {
    const w = new Writer()
      .zeros(18 + 16)
      .i32(result)
      .u32(7)
      .bool(output !== undefined);
    if (output !== undefined) w.blob(output);
    return readPoolOpReply(new Reader(w.finish()));
  };
  assert.equal(answer(0, new Writer().u64(5).finish()).output.readBigUInt64LE(), 5n);
  assert.deepEqual(answer(-22), { result: -22, output: Buffer.alloc(0) });
});
