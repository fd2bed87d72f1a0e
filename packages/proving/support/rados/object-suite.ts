import assert from "node:assert/strict";
import { test } from "node:test";
import { type Cluster, NO_SNAP, type Pool, ReadOperation, SNAP_DIR, WriteOperation } from "@siphon/rados";
import { crc32c } from "@siphon/wire";

/** What a suite works on, once its cluster is up. */
export interface ObjectStage {
  cluster: Cluster;
  /** Initially empty, and without pool snapshots. */
  pool: Pool;
}

const bytes = (text: string) => Buffer.from(text);
const noSuchObject = { code: "ENOENT" };

/** Tests of all operations on objects, against a real cluster. */
export function objectSuite(stage: () => ObjectStage): void {
  test("bytes are written and read in every supported way", async () => {
    const { pool } = stage();
    await pool.write("bytes", 4, bytes("world"));
    assert.equal((await pool.read("bytes")).toString("latin1"), "\0\0\0\0world");
    await pool.writeFull("bytes", bytes("hello"));
    await pool.append("bytes", bytes(", world"));
    assert.equal((await pool.read("bytes", { offset: 7 })).toString(), "world");
    const into = Buffer.alloc(5);
    const read = await pool.read("bytes", { offset: 0, into });
    assert.equal(read.buffer, into.buffer);
    assert.equal(into.toString(), "hello");
    assert.equal((await pool.read("bytes", { offset: 10, length: 100 })).toString(), "ld");
    const changes = new WriteOperation().zero(0, 2).writeSame(12, 6, bytes("xyz")).truncate(17);
    await pool.operate("bytes", changes);
    assert.equal((await pool.read("bytes")).toString("latin1"), "\0\0llo, worldxyzxy");
    const { size, mtime } = await pool.stat("bytes");
    assert.equal(size, 17);
    assert.ok(Math.abs(mtime.getTime() - Date.now()) < 600_000);
    await pool.truncate("bytes", 3);
    assert.equal((await pool.stat("bytes")).size, 3);
    await pool.remove("bytes");
    await assert.rejects(pool.read("bytes"), {
      ...noSuchObject,
      message: "cannot read object bytes of pool objects: not found (ENOENT)",
    });
  });

  test("large objects are read completely, into the caller's memory", async () => {
    const { pool } = stage();
    const data = Buffer.alloc(4 * 1024 ** 2, "0123456789abcdef-");
    await pool.writeFull("large", data);
    const into = Buffer.alloc(data.length);
    await Promise.all([pool.read("large", { into }), pool.read("large", { offset: 1, length: 3_000_000 })]);
    assert.ok(into.equals(data));
    await pool.remove("large");
  });

  test("holes are not sent, and OSDs compute checksums of their data", async () => {
    const { pool } = stage();
    const data = Buffer.alloc(8192, "siphon");
    await pool.write("sparse", 65_536, data);
    const { values } = await pool.operate(
      "sparse",
      new ReadOperation().sparseRead().checksum("crc32c", { offset: 65_536, length: 8192 }),
    );
    const [sparse, sums] = values;
    const read = Buffer.alloc(65_536 + 8192);
    let at = 0;
    for (const { offset, length } of sparse.extents) {
      sparse.data.copy(read, offset, at, at + length);
      at += length;
    }
    assert.ok(read.subarray(65_536).equals(data));
    assert.deepEqual(sums, [BigInt(crc32c(0xffff_ffff, data))]);
  });

  test("objects are created once, and guards apply to the whole operation", async () => {
    const { pool } = stage();
    const create = () =>
      new WriteOperation().create({ exclusive: true }).writeFull(bytes("first")).setXattr("n", "17");
    const { version } = await pool.operate("guarded", create());
    await assert.rejects(pool.operate("guarded", create()), { code: "EEXIST", step: 0 });
    const failing = <Steps extends unknown[]>(operation: WriteOperation<Steps>, error: object) =>
      assert.rejects(pool.operate("guarded", operation.writeFull(bytes("never"))), error);
    await failing(new WriteOperation().compareExtent(0, bytes("fiRst")), {
      code: "ECANCELED",
      mismatchAt: 2,
    });
    await failing(new WriteOperation().compareXattr("n", ">", 17), { code: "ECANCELED" });
    await failing(new WriteOperation().compareXattr("n", "=", "18"), { code: "ECANCELED" });
    await failing(new WriteOperation().assertVersion(version + 1), { code: "EOVERFLOW" });
    await failing(new WriteOperation().assertVersion(version - 1), { code: "ERANGE" });
    assert.equal((await pool.read("guarded")).toString(), "first");
    const passing = new WriteOperation().assertVersion(version).compareExtent(0, bytes("first"));
    const later = await pool.operate("guarded", passing.compareXattr("n", ">=", 17).append(bytes("!")));
    assert.ok(later.version > version);
    assert.equal((await pool.read("guarded")).toString(), "first!");
    await assert.rejects(
      pool.operate("absent", new WriteOperation().assertExists().append(bytes("x"))),
      noSuchObject,
    );
    await assert.rejects(pool.stat("absent"), noSuchObject);
  });

  test("attributes are set, read, listed and removed", async () => {
    const { pool } = stage();
    await pool.setXattr("attributes", "a", bytes("1"));
    await pool.setXattr("attributes", "größe", "two");
    assert.equal((await pool.getXattr("attributes", "größe")).toString(), "two");
    const all = await pool.getXattrs("attributes");
    assert.deepEqual([...all].map(([name, value]) => [name, `${value}`]).sort(), [
      ["a", "1"],
      ["größe", "two"],
    ]);
    await pool.removeXattr("attributes", "a");
    const gone = { code: "ENODATA", message: /read attribute a of object attributes of pool objects/ };
    await assert.rejects(pool.getXattr("attributes", "a"), gone);
  });

  test("omap: values by range, prefix and key, header, guards", async () => {
    const { pool } = stage();
    const values = new Map(
      Array.from({ length: 25 }, (_, i) => [`key.${String(i).padStart(2, "0")}`, bytes(`${i}`)]),
    );
    await pool.operate("omap", new WriteOperation().setOmapValues(values).setOmapHeader(bytes("header")));
    await pool.setOmapValues("omap", new Map([["other", bytes("o")]]));
    assert.equal((await pool.getOmapHeader("omap")).toString(), "header");
    const page = await pool.getOmapValues("omap", { after: "key.03", prefix: "key.", limit: 3 });
    assert.deepEqual([...page.values.keys(), page.more], ["key.04", "key.05", "key.06", true]);
    const entries = [];
    for await (const [key, value] of pool.omapEntries("omap", { limit: 7 })) entries.push(`${key}=${value}`);
    assert.deepEqual(entries, [...[...values].map(([key, value]) => `${key}=${value}`), "other=o"]);
    const read = new ReadOperation()
      .getOmapValuesByKeys(["other", "absent"])
      .getOmapKeys({ after: "key.22" });
    const [byKeys, keys] = (await pool.operate("omap", read)).values;
    assert.deepEqual([...byKeys.keys()], ["other"]);
    assert.deepEqual(keys, { keys: ["key.23", "key.24", "other"], more: false });
    const guard = (value: string) => new Map([["other", { comparison: "=" as const, value: bytes(value) }]]);
    const refused = pool.operate("omap", new WriteOperation().compareOmap(guard("x")).clearOmap());
    await assert.rejects(refused, { code: "ECANCELED" });
    const changes = new WriteOperation().compareOmap(guard("o")).removeOmapKeys(["other"]);
    await pool.operate("omap", changes.removeOmapKeyRange("key.02", "key.24"));
    assert.deepEqual((await pool.getOmapKeys("omap")).keys, ["key.00", "key.01", "key.24"]);
    await pool.removeOmapKeys("omap", ["key.24"]);
    await pool.operate("omap", new WriteOperation().clearOmap());
    assert.deepEqual((await pool.getOmapKeys("omap")).keys, []);
    assert.equal((await pool.getOmapHeader("omap")).length, 0);
  });

  test("methods of object classes read, write, reply and fail", async () => {
    const { pool } = stage();
    await pool.operate("class", new WriteOperation().exec("hello", "record_hello", bytes("me")));
    assert.equal((await pool.exec("class", "hello", "replay")).toString(), "Hello, me!");
    assert.equal((await pool.exec("class", "hello", "say_hello", bytes("you"))).toString(), "Hello, you!");
    const again = pool.operate("class", new WriteOperation().exec("hello", "record_hello", bytes("me")));
    await assert.rejects(again, { code: "EEXIST" });
    const writing = new WriteOperation().exec("hello", "write_return_data");
    const { values, results } = await pool.operate("class", writing, { returnOutputs: true });
    assert.deepEqual([`${values[0]}`, results], ["you might see this", [42]]);
    await assert.rejects(pool.exec("class", "hello", "nonesuch"), { code: "EOPNOTSUPP" });
  });

  test("each step has its result; a step that may fail stops nothing", async () => {
    const { pool } = stage();
    await pool.writeFull("steps", bytes("abc"));
    const read = new ReadOperation()
      .getXattr("none")
      .failOk()
      .read({ length: 2 })
      .advise("sequential")
      .stat();
    const { values, results } = await pool.operate("steps", read);
    assert.deepEqual([values[0], `${values[1]}`, values[2].size], [undefined, "ab", 3]);
    assert.equal(results[0], -61);
    await assert.rejects(pool.operate("steps", new ReadOperation().stat().getXattr("none")), {
      code: "ENODATA",
      step: 1,
    });
    const hint = { objectSize: 4 << 20, writeSize: 4096, expect: ["randomWrite", "incompressible"] as const };
    const options = { readFrom: "any", ordered: true } as const;
    await pool.operate("steps", new WriteOperation().allocationHint(hint).append(bytes("d")), {
      whenFull: "fail",
    });
    assert.equal((await pool.read("steps", options)).toString(), "abcd");
    assert.equal((await pool.read("steps", { readFrom: "nearest" })).toString(), "abcd");
  });

  test("self-managed snapshots: preserved by writes, read, listed, rolled back to, released", async () => {
    const { pool } = stage();
    await pool.writeFull("snapped", bytes("old"));
    const first = await pool.snapshots.createSelfManaged();
    const second = await pool.snapshots.createSelfManaged();
    assert.ok(second > first);
    const snapshotted = pool.with({ snapContext: { seq: second, snaps: [second, first] } });
    await snapshotted.writeFull("snapped", bytes("newer"));
    const then = pool.with({ snapId: second });
    assert.equal((await then.read("snapped")).toString(), "old");
    assert.equal((await pool.read("snapped")).toString(), "newer");
    const { values } = await pool.operate("snapped", new ReadOperation().listSnaps(), { snapId: SNAP_DIR });
    const [{ seq, clones }] = values;
    assert.equal(seq, second);
    assert.deepEqual(
      clones.map(({ id, snaps, size }) => [id, snaps.toSorted(), size]),
      [
        [second, [first, second], 3],
        [NO_SNAP, [], 5],
      ],
    );
    await snapshotted.rollback("snapped", second);
    assert.equal((await pool.read("snapped")).toString(), "old");
    const tooOld = pool.write("snapped", 0, bytes("x"), { snapContext: { seq: 1, snaps: [9] } });
    await assert.rejects(tooOld, { code: "EINVAL" });
    for (const snap of [first, second]) await pool.snapshots.removeSelfManaged(snap);
    await assert.rejects(pool.snapshots.create("whole"), {
      code: "EINVAL",
      message: /make snapshot whole of pool objects/,
    });
  });

  test("an object is copied from one OSD to another", async () => {
    const { pool } = stage();
    const source = { poolId: pool.id, name: "source" };
    const filled = new WriteOperation().writeFull(bytes("content")).setXattr("x", "y");
    const { version } = await pool.operate("source", filled);
    await pool
      .with({ namespace: "ns" })
      .operate("copy", new WriteOperation().copyFrom({ ...source, version }));
    const { values } = await pool
      .with({ namespace: "ns" })
      .operate("copy", new ReadOperation().read().getXattr("x"));
    assert.deepEqual(values.map(String), ["content", "y"]);
    await assert.rejects(
      pool.operate("copy", new WriteOperation().copyFrom({ ...source, name: "absent" })),
      noSuchObject,
    );
  });

  test("lists: by namespace, in pages and parts, from a cursor, by attribute", async () => {
    const pool = stage().pool.with({ namespace: "listed" });
    const names = Array.from({ length: 40 }, (_, i) => `object-${i}`);
    await Promise.all(names.map((name) => pool.writeFull(name, bytes(name))));
    await pool.write("keyed", 0, bytes("k"), { key: "object-1" });
    assert.equal((await pool.read("keyed", { key: "object-1" })).toString(), "k");
    const list = async (options: Parameters<Pool["listObjects"]>[0]) => {
      const found = [];
      for await (const { name, namespace, key } of pool.listObjects(options)) {
        if (namespace === "listed") found.push(key ? `${name}@${key}` : name);
      }
      return found.sort();
    };
    const expected = [...names, "keyed@object-1"].sort();
    assert.deepEqual(await list({}), expected);
    assert.deepEqual(await list({ allNamespaces: true, pageSize: 3 }), expected);
    const parts = await Promise.all([0, 1, 2].map((index) => list({ part: { index, of: 3 }, pageSize: 5 })));
    assert.ok(parts.every((part) => part.length > 0));
    assert.deepEqual(parts.flat().sort(), expected);
    const listing = pool.listObjects({ pageSize: 4 });
    const first = [];
    for await (const { name, key } of listing) {
      first.push(key ? `${name}@${key}` : name);
      if (first.length === 10) break;
    }
    assert.deepEqual([...first, ...(await list({ cursor: listing.cursor }))].sort(), expected);
    await pool.setXattr("object-7", "colour", "red");
    assert.deepEqual(await list({ filter: { xattr: "colour", value: "red" } }), ["object-7"]);
  });

  test("watchers receive notifications and reply to them", async () => {
    const { pool, cluster } = stage();
    await pool.writeFull("watched", bytes(""));
    const heard: string[] = [];
    const handler = (reply: string) => ({
      notified: (payload: Buffer, notifier: bigint) => {
        heard.push(`${reply} heard ${payload} from ${notifier === cluster.globalId ? "us" : notifier}`);
        return bytes(reply);
      },
      lost: (error: Error) => heard.push(`lost: ${error.message}`),
    });
    await using a = await pool.watch("watched", handler("a"), { timeout: 60_000 });
    const b = await pool.watch("watched", handler("b"));
    const watchers = await pool.listWatchers("watched");
    assert.deepEqual(
      watchers.map(({ client, cookie }) => [client, cookie]).sort(),
      [a, b].map(({ cookie }) => [`client.${cluster.globalId}`, cookie]).sort(),
    );
    assert.deepEqual(watchers.map(({ timeout }) => timeout).toSorted(), [30, 60]);
    const { replies, missed } = await pool.notify("watched", bytes("news"));
    assert.deepEqual(replies.map(({ payload }) => `${payload}`).sort(), ["a", "b"]);
    assert.deepEqual(missed, []);
    assert.deepEqual(heard.sort(), ["a heard news from us", "b heard news from us"]);
    assert.ok(a.check() >= 0);
    await b.close();
    const silent = await pool.watchEvents("watched", { notified: () => {}, lost: () => {} });
    const toldInTime = async (timeout: number) => {
      const { replies, missed } = await pool.notify("watched", bytes("more"), { timeout });
      return { texts: replies.map(({ payload }) => `${payload}`), missed };
    };
    let answers = await toldInTime(1_000);
    // On a busy machine the other watcher's reply may come too late.
    for (let timeout = 5_000; answers.texts.length === 0 && timeout < 100_000; timeout *= 2) {
      answers = await toldInTime(timeout);
    }
    assert.deepEqual(answers.texts, ["a"]);
    assert.deepEqual(answers.missed, [{ client: cluster.globalId, cookie: silent.cookie }]);
    await silent.close();
    await assert.rejects(pool.notify("absent"), noSuchObject);
    await assert.rejects(pool.watch("absent", handler("c")), noSuchObject);
  });

  test("the watch of a removed object is lost", async () => {
    const { pool } = stage();
    await pool.writeFull("removed", bytes(""));
    const lost = Promise.withResolvers<Error & { code?: string }>();
    const watch = await pool.watch("removed", { notified: () => undefined, lost: lost.resolve });
    await pool.remove("removed");
    assert.equal((await lost.promise).code, "ENOTCONN");
    assert.throws(() => watch.check(), { code: "ENOTCONN" });
    await watch.close();
  });

  test("requests that cannot be sent end on abort, or after their timeout", async () => {
    const { pool, cluster } = stage();
    await cluster.run({ prefix: "osd set", key: "pause" });
    await cluster.latestOsdMap();
    const controller = new AbortController();
    const aborted = pool.read("bytes", { signal: controller.signal });
    const late = pool.writeFull("late", bytes("x"), { timeout: 300 });
    controller.abort(new Error("enough"));
    await assert.rejects(aborted, { message: "enough" });
    await assert.rejects(late, {
      code: "SIPHON_RADOS_TIMEOUT",
      message: /cannot write object late of pool objects: no reply/,
    });
    const waiting = pool.writeFull("waiting", bytes("y"));
    await cluster.run({ prefix: "osd unset", key: "pause" });
    await waiting;
    await assert.rejects(pool.stat("late"), noSuchObject);
  });
}
