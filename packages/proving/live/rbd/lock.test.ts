import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { LocalCluster } from "@siphon/lab";
import { Cluster } from "@siphon/rados";
import { type CachePolicy, type Image, ImagePool } from "@siphon/rbd";
import { LibrbdClient } from "../../support/rbd/differential/librbd-client.ts";
import { objectMapErrors } from "../../support/rbd/differential/object-map-check.ts";
import { until } from "../../support/until.ts";

const run = promisify(execFile);
const pool = "libvirt-pool";
const mib = 2 ** 20;

let ceph: LocalCluster;
let images: ImagePool;
/** Another client of ours, with its own connections. */
let others: ImagePool;
const ending = new AsyncDisposableStack();

before(async () => {
  ceph = await LocalCluster.up({
    ...{ name: "rbd-lock", osds: 1, replicas: 1, store: "memstore", pgs: 8 },
    // Seconds that a dead client is still seen as a watcher.
    settings: { osd_client_watch_timeout: 12 },
  });
  ending.defer(() => ceph.down());
  images = await connect();
  others = await connect();
});

after(() => ending.disposeAsync());

test("the lock alternates between us and librbd with every write", async () => {
  await images.create("turns", 16 * mib);
  await using ours = await images.open("turns");
  await using theirs = new LibrbdClient(ceph.conf, "client.admin", pool);
  await theirs.open("turns");
  for (let turn = 0; turn < 3; turn++) {
    await ours.write(2 * turn * mib, Buffer.from(`ours ${turn}`));
    assert.ok(ours.locks.owned);
    await theirs.write("turns", (2 * turn + 1) * mib, Buffer.from(`theirs ${turn}`));
    assert.ok(!ours.locks.owned);
  }
  for (let turn = 0; turn < 3; turn++) {
    assert.equal((await theirs.read("turns", 2 * turn * mib, 6)).toString(), `ours ${turn}`);
    assert.equal((await ours.read((2 * turn + 1) * mib, 8)).toString(), `theirs ${turn}`);
  }
  await theirs.close("turns");
  await assertCleanMap("turns");
});

test("two of our clients that write at the same time both make progress, and the object map stays right", async () => {
  await images.create("fight", 64 * mib, { objectSize: mib });
  await using one = await images.open("fight");
  await using two = await others.open("fight");
  const writes = async (image: Image, parity: number) => {
    for (let block = parity; block < 64; block += 2)
      await image.write(block * mib, Buffer.from(`block ${block}`));
  };
  await Promise.all([writes(one, 0), writes(two, 1)]);
  for (let block = 0; block < 64; block++) {
    const text = `block ${block}`;
    assert.equal((await one.read(block * mib, text.length)).toString(), text);
  }
  await one.close();
  await two.close();
  await assertCleanMap("fight");
});

test("an image opened exclusively keeps its lock, and others get an error that says so", async () => {
  await images.create("mine", mib);
  await using mine = await images.open("mine", { exclusive: true });
  assert.ok(mine.locks.owned);
  await using second = await others.open("mine");
  await assert.rejects(second.write(0, Buffer.from("x")), { code: "SIPHON_RBD_LOCKED", errno: -30 });
  await using theirs = new LibrbdClient(ceph.conf, "client.admin", pool);
  await theirs.open("mine");
  await assert.rejects(theirs.write("mine", 0, Buffer.from("x")), /ReadOnlyImage/);
  await mine.write(0, Buffer.from("y"));
  assert.equal((await second.read(0, 1)).toString(), "y");
});

test("librbd keeps a manually taken lock from us, and lock rm frees it", async () => {
  await images.create("by-hand", mib);
  await rbd("lock", "add", `${pool}/by-hand`, "mine");
  await using image = await images.open("by-hand");
  await assert.rejects(image.write(0, Buffer.from("x")), { code: "SIPHON_RBD_BUSY" });
  const { lockers } = await image.locks.list();
  await image.locks.break(`client.${lockers[0]!.client}`, "mine");
  await image.write(0, Buffer.from("x"));
});

test("an image's settings decide whether a client whose lock is broken is fenced, and for how long", async () => {
  await images.create("lenient", mib);
  await using image = await images.open("lenient");
  const fencedFor = async (settings: Record<string, string>) => {
    await rbd("lock", "add", `${pool}/lenient`, "mine");
    for (const [name, value] of Object.entries(settings))
      await image.metadata.set(new Map([[`conf_${name}`, value]]));
    const [locker] = (await image.locks.list()).lockers;
    await image.locks.break(`client.${locker!.client}`, "mine");
    const { address, port, nonce } = locker!.addr;
    const entries = await images.cluster.command({ prefix: "osd blocklist ls" });
    const entry = (entries as { addr: string; until: string }[]).find(
      ({ addr }) => addr === `${address}:${port}/${nonce}`,
    );
    return entry && (Date.parse(entry.until) - Date.now()) / 1000;
  };
  // The monitors' default is one hour.
  assert.ok((await fencedFor({}))! > 1_800);
  assert.ok((await fencedFor({ rbd_blocklist_expire_seconds: "600" }))! < 900);
  assert.equal(await fencedFor({ rbd_blocklist_on_break_lock: "false" }), undefined);
});

describe("a client that does not answer", { concurrency: true }, () => {
  test("a client that no longer answers loses the lock, and writes nothing after the next owner's first write", async () => {
    await Promise.all([
      takeOver("killed", "SIGKILL"),
      takeOver("stopped", "SIGSTOP"),
      takeOver("cached", "SIGKILL", "writeback"),
      takeOver("stopped-cached", "SIGSTOP", "writeback"),
    ]);
  });

  test("an owner whose watch the OSDs dropped watches again, and keeps the lock under the new watch's cookie", async () => {
    await images.create("renewed", mib);
    await using worker = startWorker("renewed");
    await worker.reached(20);
    await using image = await images.open("renewed", { readOnly: true, watch: false });
    const [before] = (await image.locks.list()).lockers;
    worker.process.kill("SIGSTOP");
    await until(async () => (await image.watchers()).length === 0);
    worker.process.kill("SIGCONT");
    await until(async () => (await image.locks.list()).lockers[0]!.cookie !== before!.cookie);
    await worker.reached(worker.last + 20);
    const [now] = (await image.locks.list()).lockers;
    assert.equal(now!.client, before!.client);
    assert.deepEqual(
      (await image.watchers()).map(({ cookie }) => `auto ${cookie}`),
      [now!.cookie],
    );
    const [theirView] = JSON.parse(await rbd("lock", "ls", `${pool}/renewed`, "--format", "json"));
    assert.deepEqual([theirView.id, theirView.locker], [now!.cookie, `client.${now!.client}`]);
    // librbd finds the owner alive, so it requests the lock.
    await using theirs = new LibrbdClient(ceph.conf, "client.admin", pool);
    await theirs.open("renewed");
    await theirs.write("renewed", 512, Buffer.from("theirs"));
    const blocklist = await run("ceph", ["--conf", ceph.conf, "osd", "blocklist", "ls"]);
    const { address, port, nonce } = before!.addr;
    assert.ok(!blocklist.stdout.includes(`${address}:${port}/${nonce}`));
  });
});

async function takeOver(name: string, signal: "SIGKILL" | "SIGSTOP", cache?: CachePolicy): Promise<void> {
  await images.create(name, mib);
  await using worker = startWorker(name, cache);
  await worker.reached(20);
  worker.process.kill(signal);
  await using image = await images.open(name);
  const block = Buffer.alloc(8);
  block.writeBigUInt64LE(1_000_000n);
  const acknowledged = worker.last;
  const before = (await image.read(0, 8)).readBigUInt64LE();
  // Writes in flight may have arrived; acknowledged ones must have.
  assert.ok(before >= BigInt(acknowledged), `${before} of ${acknowledged} acknowledged`);
  await image.write(0, block);
  assert.ok(image.locks.owned);
  if (signal === "SIGSTOP") {
    worker.process.kill("SIGCONT");
    const [failure, later] = await worker.ended;
    assert.match(failure!, /^failed (ESHUTDOWN|EBLOCKLISTED|SIPHON_RBD_FENCED)$/);
    assert.match(later!, /^later failed (ESHUTDOWN|EBLOCKLISTED|SIPHON_RBD_FENCED)$/);
  }
  assert.equal((await image.read(0, 8)).readBigUInt64LE(), 1_000_000n);
  await image.close();
  await assertCleanMap(name);
}

/** Starts our client in a separate process, which writes one number after the other. */
function startWorker(name: string, ...cache: (CachePolicy | undefined)[]) {
  const script = new URL("../../support/rbd/write-worker.ts", import.meta.url).pathname;
  const process_: ChildProcess = spawn(
    process.execPath,
    [script, ceph.conf, pool, name, "1", ...cache.filter((each) => each !== undefined)],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const ended = Promise.withResolvers<string[]>();
  const words: string[] = [];
  let heard = Promise.withResolvers<void>();
  const worker = {
    ...{ process: process_, ended: ended.promise, last: 0 },
    async reached(number: number): Promise<void> {
      while (worker.last < number) await heard.promise;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      if (process_.exitCode !== null || process_.signalCode !== null) return;
      const exited = once(process_, "exit");
      process_.kill("SIGKILL");
      await exited;
    },
  };
  createInterface({ input: process_.stdout! }).on("line", (line) => {
    if (/^\d/.test(line)) worker.last = Number(line);
    else if (words.push(line) === 2) ended.resolve(words);
    heard.resolve();
    heard = Promise.withResolvers();
  });
  return worker;
}

async function connect(): Promise<ImagePool> {
  const cluster = await Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {} });
  ending.defer(() => cluster.close());
  return ImagePool.open(cluster, pool);
}

async function rbd(...args: string[]): Promise<string> {
  const { stdout } = await run("rbd", ["--conf", ceph.conf, "--name", "client.admin", ...args]);
  return stdout;
}

async function assertCleanMap(name: string): Promise<void> {
  assert.deepEqual(await objectMapErrors(ceph.conf, "client.admin", `${pool}/${name}`), []);
}
