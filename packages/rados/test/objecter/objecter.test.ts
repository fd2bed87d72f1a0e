import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RadosError } from "../../src/errors.ts";
import { opCode, requestFlag } from "../../src/objecter/op-code.ts";
import { ObjectTarget } from "../../src/objecter/target.ts";
import { PoolFlag } from "../../src/osdmap/pool.ts";
import { MapFlag } from "../../src/osdmap/state.ts";
import { FakeCluster, TestRequest } from "../support/fake-cluster.ts";

function read(name = "o", length = 16): TestRequest {
  const request = new TestRequest();
  request.target = new ObjectTarget(1, name);
  request.flags = requestFlag.read;
  request.ops.addExtent(opCode.read, 0, length);
  return request;
}

function write(name = "o", data = "data"): TestRequest {
  const request = new TestRequest();
  request.target = new ObjectTarget(1, name);
  request.flags = requestFlag.write;
  request.input = Buffer.from(data);
  request.ops.addExtent(opCode.write, 0, request.input.length, request.input.length);
  return request;
}

test("a request reaches its primary, and the answer the request", async () => {
  await using cluster = await FakeCluster.start();
  const request = read();
  cluster.objecter.submit(request);
  assert.deepEqual(
    cluster.objecter.inspect().map(({ object, osd, state, ops }) => ({ object, osd, state, ops })),
    [{ object: "o", osd: 0, state: "waiting", ops: ["read"] }],
  );
  const [op] = await cluster.got(1);
  assert.equal(cluster.messenger.inFlight, 1);
  assert.equal(op!.osd, 0);
  assert.equal(op!.name, "o");
  assert.equal(op!.epoch, cluster.epoch);
  assert.deepEqual([op!.client, op!.reqTid, op!.attempt], [4242n, BigInt(op!.tid), 0]);
  cluster.answer(op!, { outputs: [Buffer.from("hello")], version: 9 });
  const { result, version, bytes } = await request.done;
  assert.deepEqual([result, version, bytes.toString()], [0, 9, "hello"]);
  assert.equal(cluster.messenger.inFlight, 0);
  assert.deepEqual(cluster.objecter.inspect(), []);
});

test("a large read comes in portions and is whole", async () => {
  await using cluster = await FakeCluster.start();
  const request = read("large", 1 << 20);
  cluster.objecter.submit(request);
  const [op] = await cluster.got(1);
  const bytes = Buffer.from(Array.from({ length: 1 << 20 }, (_, i) => i * 7));
  cluster.answer(op!, { outputs: [bytes] });
  assert.ok((await request.done).bytes.equals(bytes));
});

test("after a lost connection a write is sent again under the same id, as a retry", async () => {
  await using cluster = await FakeCluster.start();
  const requests = [write("a", "1"), write("a", "2")];
  for (const request of requests) cluster.objecter.submit(request);
  const before = [...(await cluster.got(2))];
  before[0]!.peer.socket.destroy();
  const after = (await cluster.got(4)).slice(2);
  assert.deepEqual(
    after.map(({ reqTid, attempt, data, flags }) => [reqTid, attempt, `${data}`, flags & requestFlag.retry]),
    before.map(({ reqTid, data }) => [reqTid, 1, `${data}`, requestFlag.retry]),
  );
  // An answer to the first attempt, had it been under way, is none to the second.
  cluster.answer(after[0]!, { attempt: 0, result: -5 });
  for (const op of after) cluster.answer(op);
  for (const request of requests) assert.equal((await request.done).result, 0);
  assert.deepEqual(
    requests.map(({ completions }) => completions),
    [1, 1],
  );
});

test("a new primary gets what the old one has not answered, in order", async () => {
  await using cluster = await FakeCluster.start();
  const requests = ["1", "2", "3"].map((data) => write("a", data));
  for (const request of requests) cluster.objecter.submit(request);
  await cluster.got(3);
  cluster.change({ primary: 1 });
  const moved = (await cluster.got(6)).slice(3);
  assert.deepEqual(
    moved.map(({ osd, data }) => [osd, `${data}`]),
    [
      [1, "1"],
      [1, "2"],
      [1, "3"],
    ],
  );
  for (const op of moved) assert.equal(op.epoch, cluster.epoch);
  for (const op of moved) cluster.answer(op);
  await Promise.all(requests.map(({ done }) => done));
});

test("a map that changes nothing for a request leaves it where it is; one that may have come after others does not", async () => {
  await using cluster = await FakeCluster.start();
  const request = write();
  cluster.objecter.submit(request);
  await cluster.got(1);
  cluster.change({});
  cluster.change({ steps: 2 });
  const [, again] = await cluster.got(2);
  assert.equal(again!.epoch, cluster.epoch);
  cluster.answer(again!);
  await request.done;
  assert.equal(cluster.received.length, 2);
});

test("a PG that is split gets its requests anew", async () => {
  await using cluster = await FakeCluster.start();
  const request = write();
  cluster.objecter.submit(request);
  await cluster.got(1);
  cluster.change({ pool: { pgNum: 16 } });
  const [, again] = await cluster.got(2);
  assert.equal(again!.seed, again!.hash % 16);
  cluster.change({ pool: { lastForceResend: cluster.epoch + 1 } });
  const [, , third] = await cluster.got(3);
  cluster.answer(third!);
  await request.done;
});

test("a request for a PG without a primary waits for one", async () => {
  await using cluster = await FakeCluster.start();
  cluster.change({ primary: -1 });
  const request = read();
  cluster.objecter.submit(request);
  assert.equal(cluster.objecter.inspect()[0]!.osd, -1);
  assert.equal(request.completions, 0);
});

describe("maps that hold requests back", () => {
  const cases = [
    { name: "pausewr", change: { flags: MapFlag.pauseWrites }, held: "write" },
    { name: "pauserd", change: { flags: MapFlag.pauseReads }, held: "read" },
    { name: "a full cluster", change: { flags: MapFlag.full }, held: "write" },
    { name: "a full pool", change: { pool: { flags: PoolFlag.hashPsPool | PoolFlag.full } }, held: "write" },
  ] as const;
  for (const { name, change, held } of cases) {
    test(`${name}: ${held}s wait, also those that were sent, and then go`, async () => {
      await using cluster = await FakeCluster.start();
      const early = held === "write" ? write("early") : read("early");
      cluster.objecter.submit(early);
      await cluster.got(1);
      cluster.change(change);
      const waits = held === "write" ? write("late") : read("late");
      const goes = held === "write" ? read("other") : write("other");
      cluster.objecter.submit(waits);
      cluster.objecter.submit(goes);
      const [, other] = await cluster.got(2);
      assert.equal(other!.name, "other");
      assert.equal(cluster.objecter.inspect().find(({ object }) => object === "late")!.state, "paused");
      cluster.change({ flags: 0, pool: { flags: PoolFlag.hashPsPool } });
      const rest = (await cluster.got(4)).slice(2);
      assert.deepEqual(
        rest.map((op) => op.name),
        ["early", "late"],
      );
      for (const op of [other!, ...rest]) cluster.answer(op);
      await Promise.all([early.done, waits.done, goes.done]);
    });
  }

  test("a full pool lets deletes through, and who would rather fail", async () => {
    await using cluster = await FakeCluster.start();
    cluster.change({ flags: MapFlag.full });
    const deletes = new TestRequest();
    deletes.target = new ObjectTarget(1, "deleted");
    deletes.flags = requestFlag.write;
    deletes.ops.add(opCode.delete);
    const tries = write("tries");
    tries.flags |= requestFlag.fullTry;
    cluster.objecter.submit(deletes);
    cluster.objecter.submit(tries);
    const ops = await cluster.got(2);
    assert.ok((ops[0]!.flags & requestFlag.fullForce) !== 0);
    cluster.answer(ops[0]!);
    cluster.answer(ops[1]!, { result: -28 });
    assert.equal((await tries.done).result, -28);
    await deletes.done;
  });
});

test("requests to a pool that is gone fail with ENOENT", async () => {
  await using cluster = await FakeCluster.start();
  const request = write();
  cluster.objecter.submit(request);
  await cluster.got(1);
  cluster.change({ pool: "gone" });
  assert.equal((await request.done).result, -2);
  const late = read();
  cluster.objecter.submit(late);
  assert.equal(late.completions, 0, "not within submit");
  assert.equal((await late.done).result, -2);
  const unknown = read();
  unknown.target = new ObjectTarget(99, "o");
  cluster.objecter.submit(unknown);
  assert.equal((await unknown.done).result, -2);
  assert.equal(cluster.asked, 1, "a pool may be newer than our map");
});

test("a pool that is set to fail fails everything with EIO", async () => {
  await using cluster = await FakeCluster.start();
  cluster.change({ pool: { flags: PoolFlag.hashPsPool | PoolFlag.eio } });
  const request = read();
  cluster.objecter.submit(request);
  assert.equal((await request.done).result, -5);
});

test("a deadline ends a request whatever the OSD does, and a late answer is none", async () => {
  await using cluster = await FakeCluster.start();
  const request = write();
  request.timeout = 150;
  cluster.objecter.submit(request);
  const { result, error } = await request.done;
  assert.equal(result, -110);
  assert.equal(error?.code, "SIPHON_RADOS_TIMEOUT");
  assert.match(error!.message, /no reply for o from osd\.0 within 0\.15 s/);
  const [op] = await cluster.got(1);
  cluster.answer(op!);
  const after = read();
  cluster.objecter.submit(after);
  const [, second] = await cluster.got(2);
  cluster.answer(second!);
  await after.done;
  assert.equal(request.completions, 1);
});

test("requests beyond the limits wait for room, in order", async () => {
  await using cluster = await FakeCluster.start({ limits: { ops: 2, bytes: 100 } });
  const requests = ["a", "b", "c", "d"].map((name) => write(name, name.repeat(40)));
  for (const request of requests) cluster.objecter.submit(request);
  const ops = await cluster.got(2);
  assert.deepEqual(
    cluster.objecter.inspect().map(({ object, state }) => `${object} ${state}`),
    ["a sent", "b sent", "c queued", "d queued"],
  );
  cluster.answer(ops[0]!);
  await cluster.got(3);
  cluster.answer(ops[1]!);
  await cluster.got(4);
  assert.deepEqual(
    ops.map(({ name }) => name),
    ["a", "b", "c", "d"],
  );
  for (const op of ops.slice(2)) cluster.answer(op);
  await Promise.all(requests.map(({ done }) => done));
  const large = write("large", "x".repeat(1000));
  cluster.objecter.submit(large);
  const all = await cluster.got(5);
  cluster.answer(all[4]!);
  await large.done;
});

test("more than the network takes at a time goes in order, as it takes it", async () => {
  await using cluster = await FakeCluster.start();
  const requests = Array.from({ length: 24 }, (_, i) =>
    write("large", String.fromCharCode(97 + i).repeat(1 << 20)),
  );
  for (const request of requests) cluster.objecter.submit(request);
  const ops = await cluster.got(24);
  assert.equal(ops.map(({ data }) => String.fromCharCode(data[0]!)).join(""), "abcdefghijklmnopqrstuvwx");
  assert.ok(ops.every(({ attempt }) => attempt === 0));
  for (const op of ops) cluster.answer(op);
  await Promise.all(requests.map(({ done }) => done));
});

test("a request that is given up ends at once, wherever it is", async () => {
  await using cluster = await FakeCluster.start({ limits: { ops: 1, bytes: 1000 } });
  const [sent, queued] = [write("a"), write("b")];
  cluster.objecter.submit(sent);
  cluster.objecter.submit(queued);
  await cluster.got(1);
  const error = new RadosError("ECANCELED", "no longer wanted");
  assert.equal(cluster.objecter.cancel(queued, error), true);
  assert.equal(cluster.objecter.cancel(sent, error), true);
  assert.equal(cluster.objecter.cancel(sent, error), false);
  assert.deepEqual([sent.result, sent.error, queued.result], [-125, error, -125]);
  assert.deepEqual([cluster.messenger.inFlight, cluster.objecter.inspect().length], [0, 0]);
});

test("a client on the blocklist gets nothing acknowledged any more", async () => {
  await using cluster = await FakeCluster.start();
  const request = write();
  cluster.objecter.submit(request);
  const [op] = await cluster.got(1);
  cluster.change({ blocklisted: true });
  assert.equal(request.error?.code, "ESHUTDOWN");
  cluster.answer(op!);
  const late = read();
  cluster.objecter.submit(late);
  assert.equal((await late.done).error?.code, "ESHUTDOWN");
  assert.equal(request.completions, 1);
});

test("an OSD that says so first ends all requests as well", async () => {
  await using cluster = await FakeCluster.start();
  const requests = [write("a"), write("b")];
  for (const request of requests) cluster.objecter.submit(request);
  const [op] = await cluster.got(2);
  cluster.answer(op!, { result: -108 });
  for (const request of requests) assert.equal((await request.done).error?.code, "ESHUTDOWN");
});

test("EAGAIN from the primary is asked again under another id", async () => {
  await using cluster = await FakeCluster.start();
  const request = read();
  cluster.objecter.submit(request);
  const [first] = await cluster.got(1);
  cluster.answer(first!, { result: -11 });
  const [, second] = await cluster.got(2);
  assert.notEqual(second!.reqTid, first!.reqTid);
  assert.equal(second!.attempt, 0);
  cluster.answer(second!);
  assert.equal((await request.done).result, 0);
});

test("a balanced read that its replica cannot answer goes to the primary", async () => {
  await using cluster = await FakeCluster.start();
  for (let tries = 0; ; tries++) {
    const request = read();
    request.flags |= requestFlag.balanceReads;
    cluster.objecter.submit(request);
    const op = (await cluster.got(cluster.received.length + 1)).at(-1)!;
    cluster.answer(op, { result: op.osd === 0 ? 0 : -11 });
    if (op.osd === 1) {
      const again = (await cluster.got(cluster.received.length + 1)).at(-1)!;
      assert.equal(again.osd, 0);
      assert.equal(again.flags & requestFlag.balanceReads, 0);
      cluster.answer(again);
      await request.done;
      return;
    }
    await request.done;
    assert.ok(tries < 100, "both replicas are asked sooner or later");
  }
});

test("a closed objecter ends the requests in flight and accepts no more", async () => {
  await using cluster = await FakeCluster.start();
  const request = write();
  cluster.objecter.submit(request);
  await cluster.got(1);
  cluster.objecter.close();
  assert.equal(request.error?.code, "SIPHON_RADOS_CLOSED");
  const late = write();
  cluster.objecter.submit(late);
  assert.equal((await late.done).error?.code, "SIPHON_RADOS_CLOSED");
});
