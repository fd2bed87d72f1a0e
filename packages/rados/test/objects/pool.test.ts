import assert from "node:assert/strict";
import { test } from "node:test";
import { Writer } from "@siphon/wire";
import type { PoolOp } from "../../src/messages/pool-op.ts";
import { requestFlag } from "../../src/objecter/op-code.ts";
import { NO_SNAP } from "../../src/objecter/snap-context.ts";
import type { PoolOptions } from "../../src/objects/object-options.ts";
import { Pool, type PoolHost } from "../../src/objects/pool.ts";
import { ReadOperation } from "../../src/objects/read-operation.ts";
import { Lingers } from "../../src/objects/watch/lingers.ts";
import { WriteOperation } from "../../src/objects/write-operation.ts";
import type { OsdMap } from "../../src/osdmap/osdmap.ts";
import { FakeObjecter } from "../support/fake-objecter.ts";

/** A pool with one snapshot, whose requests and pool operations the test sees. */
class Stage {
  readonly objecter = new FakeObjecter();
  readonly poolOps: PoolOp[] = [];
  poolOpResult = { result: 0, status: "", output: Buffer.from([5, 0, 0, 0, 0, 0, 0, 0]) };
  readonly pool: Pool;

  constructor(options?: PoolOptions) {
    const snaps = new Map([[4n, { id: 4n, name: "monday", stamp: { seconds: 60, nanoseconds: 0 } }]]);
    const map = { pool: () => ({ snaps }), poolName: () => "p" } as unknown as OsdMap;
    const host: PoolHost = {
      objecter: this.objecter,
      lingers: new Lingers(this.objecter, () => map),
      osdmap: () => map,
      poolOp: async (op) => {
        this.poolOps.push(op);
        return this.poolOpResult;
      },
      latestOsdMap: async () => map,
    };
    this.pool = new Pool(host, 1, options);
  }
}

test("options of the handle hold for each request, unless that says otherwise", async () => {
  const snapContext = { seq: 9, snaps: [9, 8] };
  const { pool, objecter } = new Stage({ namespace: "ns", snapId: 8, snapContext, timeout: 100 });
  const both = [
    pool.stat("o", { timeout: 200, key: "k" }),
    pool.with({ snapId: 9 }).writeFull("o", Buffer.alloc(1)),
  ];
  const [stat, write] = [...objecter.requests];
  assert.deepEqual(
    [stat!.snapId, stat!.timeout, stat!.target.namespace, stat!.target.key],
    [8, 200, "ns", "k"],
  );
  assert.deepEqual([write!.snapId, write!.timeout, write!.snapContext], [NO_SNAP, 100, snapContext]);
  objecter.answer(0, [{ bytes: new Writer().u64(1).u32(1).u32(0).finish() }]);
  objecter.answer(0);
  await Promise.all(both);
});

test("how a request is carried out goes into its flags", async () => {
  const { pool, objecter } = new Stage();
  const { read, write, balanceReads, localizeReads, readWriteOrdered, fullTry, fullForce, returnVector } =
    requestFlag;
  const done = [
    pool.read("o", { length: 1, readFrom: "any", ordered: true }),
    pool.read("o", { length: 1, readFrom: "nearest" }),
    pool.append("o", Buffer.alloc(1), { whenFull: "fail" }),
    pool.operate("o", new WriteOperation().assertExists().remove(), {
      whenFull: "force",
      returnOutputs: true,
    }),
    pool.exec("o", "class", "method"),
  ];
  assert.deepEqual(
    objecter.requests.map(({ flags }) => flags),
    [
      read | balanceReads | readWriteOrdered,
      read | localizeReads,
      write | fullTry,
      read | write | fullForce | returnVector,
      read,
    ],
  );
  while (objecter.requests.length > 0) objecter.answer(0);
  await Promise.all(done);
});

test("a write's steps give nothing unless their outputs were asked for", async () => {
  const { pool, objecter } = new Stage();
  const call = () => new WriteOperation().exec("c", "m");
  const outcomes = [pool.operate("o", call()), pool.operate("o", call(), { returnOutputs: true })];
  for (const _ of outcomes) objecter.answer(0, [{ result: 42, bytes: Buffer.from("out") }]);
  const [without, withOutputs] = await Promise.all(outcomes);
  assert.deepEqual(without!.values, [undefined]);
  assert.deepEqual([`${withOutputs!.values[0]}`, withOutputs!.results], ["out", [42]]);
});

test("outputs that make no sense are an error that names the object", async () => {
  const { pool, objecter } = new Stage({ namespace: "ns" });
  const stat = pool.stat("o");
  objecter.answer(0, [{ bytes: Buffer.alloc(3) }]);
  await assert.rejects(stat, {
    code: "SIPHON_RADOS_PROTOCOL",
    message: /^cannot stat object o of pool p in namespace ns: truncated/,
  });
  await assert.rejects(pool.operate("o", new ReadOperation()), RangeError);
});

test("all of an omap comes page by page, each behind the last key of the one before", async () => {
  const { pool, objecter } = new Stage();
  const entries: string[] = [];
  const reading = (async () => {
    for await (const [key, value] of pool.omapEntries("o", { limit: 1 })) entries.push(`${key}=${value}`);
  })();
  for (const [key, more] of [
    ["a", true],
    ["b", false],
  ] as const) {
    while (objecter.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    objecter.answer(0, [{ bytes: new Writer().u32(1).string(key).string(`${key}!`).bool(more).finish() }]);
  }
  await reading;
  assert.deepEqual(entries, ["a=a!", "b=b!"]);
});

test("snapshots of the pool are the monitors' to make; what is there already, or is not, is refused here", async () => {
  const stage = new Stage();
  const { snapshots } = stage.pool;
  assert.deepEqual(snapshots.list(), [{ id: 4, name: "monday", created: new Date(60_000) }]);
  await assert.rejects(snapshots.create("monday"), {
    code: "EEXIST",
    message: /make snapshot monday of pool p/,
  });
  await assert.rejects(snapshots.remove("tuesday"), { code: "ENOENT" });
  await snapshots.remove("monday");
  assert.equal(await snapshots.createSelfManaged(), 5);
  stage.poolOpResult = { ...stage.poolOpResult, result: -22 };
  await assert.rejects(snapshots.removeSelfManaged(7), { code: "EINVAL" });
  assert.deepEqual(stage.poolOps, [
    { poolId: 1, op: 0x12, name: "monday" },
    { poolId: 1, op: 0x21 },
    { poolId: 1, op: 0x22, snapId: 7 },
  ]);
});
