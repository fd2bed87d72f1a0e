import assert from "node:assert/strict";
import { test } from "node:test";
import { Writer } from "@siphon/wire";
import { opCode, requestFlag } from "../../src/objecter/op-code.ts";
import { ObjectTarget } from "../../src/objecter/target.ts";
import { FakeCluster, TestRequest } from "../support/fake-cluster.ts";

/** MOSDBackoff over all objects of a PG. */
function backoff(op: number, seed: number, id: bigint): Buffer {
  const w = new Writer();
  w.versioned(1, 1, () => w.u8(1).u64(1).u32(seed).i32(-1).u8(0xff));
  w.u32(10).u8(op).u64(id);
  w.versioned(4, 3, () => w.string("").string("").u64(0n).u32(0).u8(0).string("").u64(-1n));
  w.versioned(4, 3, () => w.string("").string("").u64(0n).u32(0).u8(1).string("").u64(0n));
  return Buffer.from(w.finish());
}

function write(name: string): TestRequest {
  const request = new TestRequest();
  request.target = new ObjectTarget(1, name);
  request.flags = requestFlag.write;
  request.ops.add(opCode.create);
  return request;
}

test("what an OSD asks to hold back is held back, acknowledged, and sent when it says so", async () => {
  await using cluster = await FakeCluster.start();
  const acknowledged = Promise.withResolvers<Buffer>();
  cluster.onOther = (_, { type, front }) => {
    assert.equal(type, 61);
    acknowledged.resolve(front);
  };
  const first = write("a");
  cluster.objecter.submit(first);
  const [op] = await cluster.got(1);
  op!.peer.send(61, 0, backoff(1, op!.seed, 5n));
  const ack = await acknowledged.promise;
  const expected = backoff(2, op!.seed, 5n);
  assert.deepEqual(ack, expected);
  const second = write("a");
  cluster.objecter.submit(second);
  // In another PG.
  const other = write("b");
  cluster.objecter.submit(other);
  const [, passing] = await cluster.got(2);
  assert.equal(passing!.name, "b");
  op!.peer.send(61, 0, backoff(3, op!.seed, 5n));
  const released = (await cluster.got(4)).slice(2);
  assert.deepEqual(
    released.map(({ name, attempt }) => [name, attempt]),
    [
      ["a", 1],
      ["a", 0],
    ],
  );
  for (const each of [passing!, ...released]) cluster.answer(each);
  await Promise.all([first.done, second.done, other.done]);
});

test("a backoff ends with its connection", async () => {
  await using cluster = await FakeCluster.start();
  cluster.onOther = (peer) => peer.socket.destroy();
  const request = write("a");
  cluster.objecter.submit(request);
  const [op] = await cluster.got(1);
  op!.peer.send(61, 0, backoff(1, op!.seed, 5n));
  const [, again] = await cluster.got(2);
  cluster.answer(again!);
  await request.done;
});
