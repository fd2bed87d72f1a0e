import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Writer } from "@siphon/wire";
import { RadosError } from "../../src/errors.ts";
import { opCode, requestFlag } from "../../src/objecter/op-code.ts";
import { ObjectTarget } from "../../src/objecter/target.ts";
import { FakeCluster, type FakeReply, replyBytes, TestRequest } from "../support/fake-cluster.ts";
import { gatherUnowned } from "../support/unowned.ts";

function read(length = 16): TestRequest {
  const request = new TestRequest();
  request.target = new ObjectTarget(1, "o");
  request.flags = requestFlag.read;
  request.ops.addExtent(opCode.read, 0, length);
  request.ops.add(opCode.stat);
  return request;
}

function readOnce(): TestRequest {
  const request = read();
  request.ops.clear().addExtent(opCode.read, 0, 16);
  return request;
}

const answer = Buffer.from("abc");
const two = [Buffer.from("abc"), Buffer.from("0123456789")];

test("each operation's result and output reach the request", async () => {
  await using cluster = await FakeCluster.start();
  const request = read();
  cluster.objecter.submit(request);
  const [op] = await cluster.got(1);
  assert.deepEqual(op!.codes, [opCode.read, opCode.stat]);
  cluster.answer(op!, { outputs: two, results: [3, -1] });
  const { results, bytes } = await request.done;
  assert.deepEqual([results, `${bytes}`], [[3, -1], "0123456789"]);
});

test("a large answer that is longer than requested is rejected", async () => {
  await using cluster = await FakeCluster.start();
  const request = new TestRequest();
  request.target = new ObjectTarget(1, "o");
  request.flags = requestFlag.read;
  request.ops.addExtent(opCode.read, 0, 16);
  cluster.objecter.submit(request);
  const [op] = await cluster.got(1);
  cluster.answer(op!, { outputs: [Buffer.alloc(1 << 20)] });
  const { result, bytes } = await request.done;
  assert.deepEqual([result, bytes.length], [-5, 0]);
});

test("a request may be given up over what it is handed", async () => {
  await using cluster = await FakeCluster.start();
  const request = read();
  request.output = () => cluster.objecter.cancel(request, new RadosError("ECANCELED", "enough"));
  cluster.objecter.submit(request);
  const [op] = await cluster.got(1);
  cluster.answer(op!, { outputs: two });
  assert.equal((await request.done).result, -125);
  const next = read();
  cluster.objecter.submit(next);
  const [, second] = await cluster.got(2);
  cluster.answer(second!, { outputs: two });
  assert.equal((await next.done).result, 0);
  assert.equal(request.completions, 1);
});

describe("what the owner of a request throws ends no connection, and is heard", () => {
  const mistake = new RadosError("EINVAL", "a mistake of the owner's");
  const fail = () => {
    throw mistake;
  };
  const failing: Record<string, (request: TestRequest) => void> = {
    "by output": (request) => {
      request.output = fail;
    },
    "by take": (request) => {
      request.take = fail;
    },
    "by take of a large answer": (request) => {
      request.ops.clear().addExtent(opCode.read, 0, 1 << 20);
      request.take = fail;
    },
  };
  for (const [how, damage] of Object.entries(failing)) {
    test(how, async () => {
      await using cluster = await FakeCluster.start();
      const request = readOnce();
      damage(request);
      const thrown = await gatherUnowned(async () => {
        const other = readOnce();
        for (const each of [request, other]) cluster.objecter.submit(each);
        const [op, next] = await cluster.got(2);
        const large = request.ops.extentLength(0) > 4096;
        cluster.answer(op!, { outputs: [large ? Buffer.alloc(1 << 20) : answer] });
        cluster.answer(next!, { outputs: [answer] });
        assert.equal((await request.done).result, -5);
        assert.equal((await other.done).result, 0);
        assert.equal((await cluster.got(2)).length, 2, "nothing was sent again");
      });
      assert.ok(thrown.length > 0 && thrown.every((error) => error === mistake));
    });
  }

  test("by completed", async () => {
    await using cluster = await FakeCluster.start();
    const requests = [readOnce(), readOnce(), readOnce()];
    requests[0]!.completed = fail;
    const thrown = await gatherUnowned(async () => {
      for (const request of requests) cluster.objecter.submit(request);
      for (const op of await cluster.got(3)) cluster.answer(op, { outputs: [answer] });
      for (const request of requests.slice(1)) assert.equal((await request.done).result, 0);
    });
    assert.deepEqual(thrown, [mistake]);
    assert.equal((await cluster.got(3)).length, 3, "nothing was sent again");
  });

  test("by fill: nothing of it reaches the OSD, and others go on", async () => {
    await using cluster = await FakeCluster.start();
    const request = readOnce();
    request.flags = requestFlag.write;
    request.ops.clear().addExtent(opCode.write, 0, 4, 4);
    request.fill = fail;
    const thrown = await gatherUnowned(async () => {
      const other = readOnce();
      for (const each of [request, other]) cluster.objecter.submit(each);
      const [op] = await cluster.got(1);
      assert.equal(op!.data.length, 0);
      cluster.answer(op!, { outputs: [answer] });
      assert.equal((await request.done).result, -5);
      assert.equal((await other.done).result, 0);
    });
    assert.deepEqual(thrown, [mistake]);
  });
});

test("a redirect leads to where the object is", async () => {
  await using cluster = await FakeCluster.start();
  const request = read();
  cluster.objecter.submit(request);
  const [op] = await cluster.got(1);
  const redirect = new Writer();
  redirect.versioned(1, 1, () => {
    redirect.versioned(6, 3, () => redirect.u64(1).i32(-1).string("").string("").u64(-1n));
    redirect.string("elsewhere").u32(0);
  });
  cluster.answer(op!, { outputs: two, redirect: Buffer.from(redirect.finish()) });
  const [, followed] = await cluster.got(2);
  assert.equal(followed!.name, "elsewhere");
  assert.ok((followed!.flags & requestFlag.redirected) !== 0);
  cluster.answer(followed!, { outputs: two });
  assert.equal((await request.done).result, 0);
});

/** Replies that no OSD sends, and their names. */
const lies: [string, Partial<FakeReply>, RegExp][] = [
  ["too few results", { outputs: [Buffer.from("abc")] }, /1 results for 2 operations/],
  ["too many results", { outputs: [...two, Buffer.alloc(1)] }, /3 results for 2 operations/],
  ["more than was asked for", { outputs: [Buffer.alloc(17), Buffer.alloc(0)] }, /17 bytes for a read of 16/],
];
for (const [name, reply, message] of lies) {
  test(`${name}: the request fails with the connection, and the others go on`, async () => {
    await using cluster = await FakeCluster.start();
    const requests = [read(), read()];
    for (const request of requests) cluster.objecter.submit(request);
    const [first] = await cluster.got(2);
    cluster.answer(first!, reply);
    const { result, error } = await requests[0]!.done;
    assert.equal(result, -5);
    assert.equal(error?.code, "SIPHON_RADOS_PROTOCOL");
    assert.match(error!.message, message);
    const [, , again] = await cluster.got(3);
    cluster.answer(again!, { outputs: two });
    assert.equal((await requests[1]!.done).result, 0);
  });
}

test("no damage to an answer does more than end its request and its connection", async () => {
  await using cluster = await FakeCluster.start();
  for (let at = 0; at < 130; at += 3) {
    const request = read();
    cluster.objecter.submit(request);
    const op = (await cluster.got(cluster.received.length + 1)).at(-1)!;
    const front = replyBytes(op, { outputs: two });
    front[at % front.length]! ^= 0xff;
    op.peer.send(43, op.tid, front, Buffer.concat(two), 8);
    // Damage may look like an answer to an earlier attempt, or to ask for more patience: a lost connection ends that.
    setTimeout(() => op.peer.socket.destroy(), 50);
    const answering = cluster
      .got(cluster.received.length + 1)
      .then((ops) => cluster.answer(ops.at(-1)!, { outputs: two }));
    await Promise.race([request.done, answering]);
    await request.done;
    assert.equal(request.completions, 1);
  }
});

test("answers that are cut short, of unknown requests, and messages of unknown kinds do no harm", async () => {
  await using cluster = await FakeCluster.start();
  const request = read();
  cluster.objecter.submit(request);
  const [op] = await cluster.got(1);
  op!.peer.send(43, 999, Buffer.alloc(4), Buffer.alloc(0), 8);
  op!.peer.send(200, 1, Buffer.alloc(4));
  const whole = replyBytes(op!, { outputs: two });
  op!.peer.send(43, op!.tid, whole.subarray(0, 60), Buffer.concat(two), 8);
  const { error } = await request.done;
  assert.match(error!.message, /it is truncated|operations/);
});
