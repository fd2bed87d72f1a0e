import assert from "node:assert/strict";
import { test } from "node:test";
import { frameTag } from "../../src/messenger/v2/frame.ts";
import { opCode, requestFlag } from "../../src/objecter/op-code.ts";
import { ObjectTarget } from "../../src/objecter/target.ts";
import { FakeCluster, TestRequest } from "../support/fake-cluster.ts";

function create(): TestRequest {
  const request = new TestRequest();
  request.target = new ObjectTarget(1, "o");
  request.flags = requestFlag.write;
  request.ops.add(opCode.create);
  return request;
}

const round = 5_000;

test("an OSD that gives no sign of life loses its connection, and gets its requests again", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  await using cluster = await FakeCluster.start();
  const request = create();
  cluster.objecter.submit(request);
  await cluster.got(1);
  t.mock.timers.tick(9 * round);
  assert.ok(cluster.asked > 0, "the monitors may know more of it");
  const [first, again] = await cluster.got(2);
  assert.notEqual(again!.peer, first!.peer);
  assert.equal(again!.attempt, 1);
  cluster.answer(again!);
  await request.done;
});

test("an OSD that takes its time but answers when it is asked keeps its connection", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  await using cluster = await FakeCluster.start();
  let asked = Promise.withResolvers<void>();
  cluster.onControl = (peer, tag, payload) => {
    if (tag !== frameTag.keepalive2) return;
    peer.sendControl(frameTag.keepalive2Ack, payload);
    asked.resolve();
  };
  const request = create();
  cluster.objecter.submit(request);
  const [op] = await cluster.got(1);
  const [connection] = cluster.messenger.connections;
  for (let i = 0; i < 10; i++) {
    const before = connection!.lastKeepaliveAck;
    t.mock.timers.tick(round);
    await asked.promise;
    asked = Promise.withResolvers();
    while (connection!.lastKeepaliveAck === before) await new Promise((resolve) => setImmediate(resolve));
  }
  cluster.answer(op!);
  await request.done;
  assert.equal(cluster.received.length, 1);
});
