import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import type { LocalCluster } from "@siphon/lab";
import { Cluster, type Pool, ReadOperation, WriteOperation } from "@siphon/rados";
import { upForTest } from "../../support/rados/live-modes.ts";
import { until } from "../../support/until.ts";

const run = promisify(execFile);
const python = process.env.SIPHON_TEST_PYTHON ?? "/usr/bin/python3";
const bytes = (text: string) => Buffer.from(text);

let ceph: LocalCluster;
let cluster: Cluster;
let pool: Pool;
let directory = "";

before(async () => {
  const spec = { auth: "cephx", wire: "secure", mons: 1, osds: 3, replicas: 2, store: "bluestore" } as const;
  ceph = await upForTest("objects-interop", spec);
  cluster = await Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {} });
  await cluster.createPool({ name: "interop", pgs: 4, size: 2, application: "rados" });
  pool = await cluster.pool("interop", { namespace: "ns" });
  directory = await mkdtemp(join(tmpdir(), "siphon-objects-"));
});

after(async () => {
  cluster?.close();
  await ceph?.down();
  await rm(directory, { recursive: true });
});

/** Ceph's rados command, in the pool and namespace of the test. */
async function rados(...args: string[]): Promise<string> {
  const { stdout } = await run("rados", ["--conf", ceph.conf, "-p", "interop", "-N", "ns", ...args]);
  return stdout;
}

/** Runs a program with python3-rados; `io` is the pool and namespace of the test. The program prints JSON. */
async function withLibrados(program: string): Promise<unknown> {
  const { stdout } = await run(python, ["-c", pythonStart(program)]);
  return JSON.parse(stdout);
}

function pythonStart(program: string): string {
  const lines = [
    "import json, rados, sys",
    `cluster = rados.Rados(conffile=${JSON.stringify(ceph.conf)}, name='client.admin')`,
    "cluster.connect()",
    "io = cluster.open_ioctx('interop')",
    "io.set_namespace('ns')",
    program,
  ];
  return lines.join("\n");
}

test("rados and python3-rados read what we write", async () => {
  const operation = new WriteOperation()
    .writeFull(bytes("by us"))
    .setXattr("colour", "red")
    .setOmapHeader(bytes("top"))
    .setOmapValues(new Map([["k", bytes("v")]]));
  await pool.operate("ours", operation);
  await rados("get", "ours", join(directory, "ours"));
  assert.equal(await readFile(join(directory, "ours"), "utf8"), "by us");
  assert.equal(await rados("getxattr", "ours", "colour"), "red");
  assert.equal((await rados("ls")).trim(), "ours");
  const read = await withLibrados(`
with rados.ReadOpCtx() as op:
    values, _ = io.get_omap_vals(op, "", "", 10)
    io.operate_read_op(op, "ours")
    print(json.dumps([io.read("ours").decode(), [(k, v.decode()) for k, v in values], io.stat("ours")[0]]))`);
  assert.deepEqual(read, ["by us", [["k", "v"]], 5]);
});

test("we read what rados and python3-rados write", async () => {
  await writeFile(join(directory, "theirs"), "by them");
  await rados("put", "theirs", join(directory, "theirs"));
  await rados("setxattr", "theirs", "colour", "blue");
  await withLibrados(`
with rados.WriteOpCtx() as op:
    io.set_omap(op, ("a", "b"), (b"1", b"2"))
    op.append(b", twice")
    io.operate_write_op(op, "theirs")
print("null")`);
  const { values } = await pool.operate("theirs", new ReadOperation().read().getXattrs().getOmapValues());
  const [data, attributes, omap] = values;
  assert.equal(`${data}`, "by them, twice");
  assert.deepEqual([...attributes].map(String), ["colour,blue"]);
  assert.deepEqual([...omap.values].map(String), ["a,1", "b,2"]);
});

test("each side takes snapshots of the pool, and the other reads them", async () => {
  await cluster.createPool({ name: "snapped", pgs: 4, size: 2 });
  const snapped = await cluster.pool("snapped");
  await snapped.writeFull("o", bytes("one"));
  await snapped.snapshots.create("first");
  await snapped.writeFull("o", bytes("two"));
  await run("rados", ["--conf", ceph.conf, "-p", "snapped", "mksnap", "second"]);
  await cluster.latestOsdMap();
  await snapped.writeFull("o", bytes("three"));
  const snapshots = snapped.snapshots.list();
  assert.deepEqual(
    snapshots.map(({ name }) => name),
    ["first", "second"],
  );
  const [first, second] = snapshots.map(({ id }) => id);
  assert.equal(`${await snapped.read("o", { snapId: first! })}`, "one");
  assert.equal(`${await snapped.read("o", { snapId: second! })}`, "two");
  const { stdout } = await run("rados", [
    "--conf",
    ceph.conf,
    "-p",
    "snapped",
    "-s",
    "first",
    "get",
    "o",
    "-",
  ]);
  assert.match(stdout, /one/);
  await snapped.rollback("o", first!);
  assert.equal(`${await snapped.read("o")}`, "one");
  await snapped.snapshots.remove("first");
  const { stdout: left } = await run("rados", ["--conf", ceph.conf, "-p", "snapped", "lssnap"]);
  assert.ok(!left.includes("first") && left.includes("second"));
  await assert.rejects(snapped.snapshots.remove("first"), { code: "ENOENT" });
  await assert.rejects(snapped.snapshots.create("second"), { code: "EEXIST" });
});

test("an erasure-coded pool takes whole objects and appends", async () => {
  const profile = ["k=2", "m=1", "crush-failure-domain=osd"];
  await cluster.run({ prefix: "osd erasure-code-profile set", name: "small", profile });
  await cluster.createPool({ name: "coded", pgs: 4, erasureCodeProfile: "small" });
  const coded = await cluster.pool("coded");
  const stripe = Buffer.alloc(8192, "stripe");
  await coded.writeFull("o", stripe);
  await coded.append("o", bytes("and more"));
  assert.ok((await coded.read("o")).equals(Buffer.concat([stripe, bytes("and more")])));
  assert.equal(`${await coded.read("o", { offset: 8190, length: 5 })}`, `${stripe.subarray(8190)}and`);
  await coded.setXattr("o", "a", "b");
  await assert.rejects(coded.write("o", 1, bytes("x")), { code: "EOPNOTSUPP" });
  await assert.rejects(coded.setOmapValues("o", new Map([["k", bytes("v")]])), { code: "EOPNOTSUPP" });
});

test("notifications reach us from them, and them from us", async () => {
  await pool.writeFull("bell", bytes(""));
  const heard: string[] = [];
  const handler = {
    notified: (payload: Buffer) => {
      heard.push(`${payload}`);
      return bytes("our reply");
    },
    lost: () => {},
  };
  await using watch = await pool.watch("bell", handler);
  assert.match(await rados("notify", "bell", "ding"), /our reply/);
  assert.equal(heard.length, 1);
  assert.match(heard[0]!, /ding$/);
  assert.match(
    await rados("listwatchers", "bell"),
    new RegExp(`client\\.${cluster.globalId} cookie=${watch.cookie}`),
  );

  const program = `
def heard(notify_id, notifier, watch_id, data):
    print(data.decode(), flush=True)
    return "their reply"
watch = io.watch("bell", heard)
print("ready", flush=True)
sys.stdin.read()
watch.close()
cluster.shutdown()`;
  const watcher = spawn(python, ["-c", pythonStart(program)], { stdio: ["pipe", "pipe", "inherit"] });
  using _end = { [Symbol.dispose]: () => watcher.kill() };
  const lines = createInterface(watcher.stdout)[Symbol.asyncIterator]();
  assert.equal((await lines.next()).value, "ready");
  const { replies, missed } = await pool.notify("bell", bytes("dong"));
  assert.equal((await lines.next()).value, "dong");
  assert.deepEqual(missed, []);
  assert.deepEqual(replies.map(({ payload }) => `${payload}`).sort(), ["our reply", "their reply"]);
  watcher.stdin.end();
  await once(watcher, "close");
});

test("every object is listed once while the pool's PGs split", async () => {
  const split = pool.with({ namespace: "split" });
  const names = Array.from({ length: 60 }, (_, i) => `object-${i}`);
  await Promise.all(names.map((name) => split.writeFull(name, bytes(name))));
  const found: string[] = [];
  for await (const { name } of split.listObjects({ pageSize: 2 })) {
    found.push(name);
    if (found.length !== 10) continue;
    await cluster.run({ prefix: "osd pool set", pool: "interop", var: "pg_num", val: "16" });
    await until(async () => (await cluster.latestOsdMap()).poolByName("interop")!.pgNum === 16);
  }
  assert.deepEqual(found.sort(), names.sort());
});

test("a watch survives changes of its OSDs", async () => {
  await pool.writeFull("lasting", bytes(""));
  const lost: Error[] = [];
  const handler = { notified: (payload: Buffer) => payload, lost: (error: Error) => lost.push(error) };
  await using watch = await pool.watch("lasting", handler);
  const primary = () => cluster.locate("interop", "lasting", { namespace: "ns" }).actingPrimary;
  const isHeard = async () => {
    const { replies } = await pool.notify("lasting", bytes("hello"), { timeout: 2_000 });
    return replies.length === 1;
  };
  const osd = primary();
  await ceph.killDaemon(`osd.${osd}`);
  await cluster.run({ prefix: "osd down", ids: [`${osd}`] });
  await until(() => primary() >= 0 && primary() !== osd);
  await until(isHeard);
  await ceph.startDaemon(`osd.${osd}`);
  await until(() => primary() === osd);
  await until(isHeard);
  assert.deepEqual(lost, []);
  assert.ok(watch.check() >= 0);
});

test("a client on the blocklist loses its watches and can close them", async () => {
  const doomed = await Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {} });
  await using _ = doomed;
  const lost = Promise.withResolvers<{ code: string }>();
  const theirs = await doomed.pool("interop", { namespace: "ns" });
  const watch = await theirs.watch("lasting", { notified: () => undefined, lost: lost.resolve });
  const watchers = await pool.listWatchers("lasting");
  const { addr } = watchers.find(({ client }) => client === `client.${doomed.globalId}`)!;
  await cluster.blocklist("add", `${addr.address}:${addr.port}/${addr.nonce}`);
  assert.equal((await lost.promise).code, "ESHUTDOWN");
  await assert.rejects(theirs.read("lasting"), { code: "ESHUTDOWN", message: /blocklist/ });
  await watch.close();
});
