import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { LocalCluster } from "@siphon/lab";
import { Cluster } from "@siphon/rados";
import { type Image, type ImageNotice, ImagePool } from "@siphon/rbd";
import { LibrbdClient } from "../../support/rbd/differential/librbd-client.ts";
import { objectMapErrors } from "../../support/rbd/differential/object-map-check.ts";
import { runDifferential } from "../../support/rbd/differential/run.ts";
import { SiphonClient } from "../../support/rbd/differential/siphon-client.ts";
import { goThroughWorkers } from "../../support/rbd/through-workers.ts";
import { Chain, cellsOf, overlay } from "../../support/rbd/worker-chain.ts";
import {
  cellBytes,
  fillOf,
  type WorkerEnd,
  type WorkerTask,
  workerEnds,
} from "../../support/rbd/worker-parts.ts";

const run = promisify(execFile);
const pool = "libvirt-pool";
const mib = 2 ** 20;
const module = new URL("../../support/rbd/worker-parts.ts", import.meta.url);
const objectSize = mib;

let ceph: LocalCluster;
let images: ImagePool;
const ending = new AsyncDisposableStack();
const directory = mkdtempSync(join(tmpdir(), "siphon-workers-"));
ending.defer(() => rmSync(directory, { recursive: true }));
/** A named pipe without a writer. */
const pipe = join(directory, "pipe");

before(async () => {
  await run("mkfifo", [pipe]);
  ceph = await LocalCluster.up({
    ...{ name: "rbd-workers", osds: 2, replicas: 1, store: "memstore", pgs: 8, auth: "cephx", wire: "any" },
    settings: { osd_client_watch_timeout: 12 },
  });
  ending.defer(() => ceph.down());
  images = await connect();
});

after(() => ending.disposeAsync());

for (const workers of [1, 2, 4]) {
  describe(`${workers} workers`, () => {
    const named = (name: string) => `${name}-${workers}`;

    test("another client reads what the workers write, and the object map is right", async () => {
      await images.create(named("fill"), 16 * mib, { objectSize });
      await using image = await images.open(named("fill"), { workers });
      assert.equal(image.workers!.count, workers);
      const written = await inWorkers(image, { task: "fill", blockSize: 64 * 1024, depth: 8 });
      assert.equal(sum(written as number[]), 256);
      const expected = Buffer.concat(Array.from({ length: 256 }, (_, block) => fillOf(block, 64 * 1024)));
      assert.ok((await exported(named("fill"))).equals(expected));
      for (const read of await inWorkers(image, { task: "read", offset: mib, length: 4096 })) {
        assert.ok(Buffer.from(read as Buffer).equals(expected.subarray(mib, mib + 4096)));
      }
      await image.discard(0, 8 * mib);
      for (const read of await inWorkers(image, { task: "read", offset: mib, length: 4096 })) {
        assert.ok(Buffer.from(read as Buffer).equals(Buffer.alloc(4096)));
      }
      await image.close();
      await assertCleanMap(named("fill"));
    });

    test("a snapshot lies between two writes of all workers", async () => {
      await images.create(named("snapshots"), 32 * mib, { objectSize });
      await using image = await images.open(named("snapshots"), { workers });
      const chain = Chain.start(image);
      await chain.goesOn(20);
      const taken: number[][] = [];
      for (let snapshot = 0; snapshot < 8; snapshot++) {
        const acknowledged = chain.acknowledged;
        await image.snapshots.create(`s${snapshot}`);
        taken.push(acknowledged);
        await chain.goesOn(20);
      }
      const last = await chain.stop();
      for (const [snapshot, acknowledged] of taken.entries()) {
        const cells = cellsOf(await exported(`${named("snapshots")}@s${snapshot}`), workers);
        for (const [index, cell] of cells.entries()) {
          assert.ok(cell >= acknowledged[index]!, `${cells} of ${acknowledged}`);
          assert.ok(index === 0 || cell <= cells[index - 1]!, `${cells}`);
        }
      }
      const expected = Buffer.alloc(32 * mib);
      overlay(expected, last, objectSize, 32);
      assert.ok((await exported(named("snapshots"))).equals(expected));
      await image.close();
      await assertCleanMap(named("snapshots"));
    });

    test("resizes take place between the workers' writes, and all workers know the new size", async () => {
      await images.create(named("resized"), 32 * mib, { objectSize });
      await using image = await images.open(named("resized"), { workers });
      const chain = Chain.start(image);
      for (const size of [48, 32, 64, 40]) {
        await chain.goesOn(20);
        await image.resize(size * mib, { allowShrink: true });
        const sizes = await inWorkers(image, { task: "size" });
        assert.deepEqual(sizes, new Array(workers).fill(size * mib));
      }
      await chain.goesOn(20);
      const expected = Buffer.alloc(40 * mib);
      overlay(expected, await chain.stop(), objectSize, 32);
      assert.ok((await exported(named("resized"))).equals(expected));
      await image.close();
      await assertCleanMap(named("resized"));
    });

    test("a clone that workers write to is flattened with its snapshots, and its data stays the same", async () => {
      const base = named("parent");
      await images.create(base, 32 * mib, { objectSize });
      const filled = Buffer.concat(Array.from({ length: 512 }, (_, block) => fillOf(block, 64 * 1024)));
      {
        await using parent = await images.open(base);
        await parent.write(0, filled);
        await parent.snapshots.create("s");
      }
      await images.clone(base, "s", named("clone"), images, { version: 2 });
      await using image = await images.open(named("clone"), { workers });
      const chain = Chain.start(image);
      await chain.goesOn(5);
      await image.snapshots.create("before");
      await chain.goesOn(5);
      await image.flatten();
      await chain.goesOn(20);
      const last = await chain.stop();
      const expected = Buffer.from(filled);
      overlay(expected, last, objectSize, 32);
      assert.ok((await exported(named("clone"))).equals(expected));
      const before = await exported(`${named("clone")}@before`);
      assert.ok(before.subarray(workers * cellBytes, mib).equals(filled.subarray(workers * cellBytes, mib)));
      await image.close();
      await assertCleanMap(named("clone"));
    });

    test("the lock alternates between the workers and librbd", async () => {
      await images.create(named("fight"), 32 * mib, { objectSize });
      await using image = await images.open(named("fight"), { workers });
      await using theirs = new LibrbdClient(ceph.conf, "client.admin", pool);
      await theirs.open(named("fight"));
      const chain = Chain.start(image);
      for (let at = 0; at < 6; at++) {
        await chain.goesOn(20);
        await theirs.write(named("fight"), mib / 2 + at * 512, Buffer.from(`theirs ${at}`));
      }
      const last = await chain.stop();
      await theirs.close(named("fight"));
      const expected = Buffer.alloc(32 * mib);
      overlay(expected, last, objectSize, 32);
      for (let at = 0; at < 6; at++) expected.write(`theirs ${at}`, mib / 2 + at * 512);
      await image.close();
      assert.ok((await exported(named("fight"))).equals(expected));
      await assertCleanMap(named("fight"));
    });

    test("putting the owner on the blocklist stops all workers in the middle of their writes", async () => {
      await images.create(named("fenced"), 32 * mib, { objectSize });
      const victims = await connect();
      const image = await victims.open(named("fenced"), { workers });
      const chain = Chain.start(image);
      await chain.goesOn(50);
      const { addr } = (await image.locks.list()).lockers[0]!;
      await images.cluster.blocklist("add", `${addr.address}:${addr.port}/${addr.nonce}`);
      const ends = await chain.ended;
      for (const end of ends) assert.match(String(end), /^(ESHUTDOWN|SIPHON_RBD_FENCED)$/);
      const acknowledged = chain.acknowledged;
      const first = cellsOf(await exported(named("fenced")), workers);
      for (const [index, cell] of first.entries()) assert.ok(cell >= acknowledged[index]!);
      await using mine = await images.open(named("fenced"));
      await mine.write(cellBytes * 16, Buffer.from("mine"));
      assert.deepEqual(cellsOf(await exported(named("fenced")), workers), first);
      await image.close().catch(() => {});
      await mine.close();
      await assertCleanMap(named("fenced"));
    });
  });
}

test("a killed process loses nothing that any worker had acknowledged, and the object map is right", async () => {
  await images.create("killed", 32 * mib, { objectSize });
  const script = new URL("../../support/rbd/chain-process.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, ceph.conf, pool, "killed", "2"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let acknowledged: number[] = [];
  const reached = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    acknowledged = JSON.parse(line);
    if (acknowledged[1]! > 50) reached.resolve();
  });
  await reached.promise;
  child.kill("SIGKILL");
  await once(child, "close");
  await using image = await images.open("killed");
  await image.write(cellBytes * 16, Buffer.from("mine"));
  const cells = cellsOf(await exported("killed"), 2);
  assert.ok(cells[0]! >= acknowledged[0]! && cells[1]! >= acknowledged[1]!, `${cells} of ${acknowledged}`);
  assert.ok(cells[1]! <= cells[0]!);
  await image.close();
  await assertCleanMap("killed");
});

test("if OSDs speak only protocol v1, the image has one worker, this thread, and says so", async () => {
  await using old = await LocalCluster.up({
    ...{ name: "rbd-workers-v1", osds: 1, replicas: 1, store: "memstore", pgs: 8, msgr: "v1", auth: "cephx" },
  });
  await using cluster = await Cluster.connect({ conf: old.conf, name: "client.admin", env: {} });
  const there = await ImagePool.open(cluster, pool);
  await there.create("single", mib);
  const told: ImageNotice[] = [];
  const listen = (notice: unknown) => void told.push(notice as ImageNotice);
  subscribe("siphon:rbd:image", listen);
  await using image = await there.open("single", { workers: 2 });
  unsubscribe("siphon:rbd:image", listen);
  assert.deepEqual([image.workers!.count, image.workers!.isSingle], [1, true]);
  assert.deepEqual(
    told.map(({ event }) => event),
    ["single"],
  );
  assert.deepEqual(await inWorkers(image, { task: "fill", blockSize: 65_536, depth: 4 }), [16]);
  assert.ok((await image.read(65_536, 65_536)).equals(fillOf(1, 65_536)));
});

for (const seed of [21, 22]) {
  test(`whatever our workers in turn and librbd do to an image, both read the right data: seed ${seed}`, async () => {
    using _ = goThroughWorkers(2);
    await using siphon = await SiphonClient.connect(ceph.conf, "client.admin", pool);
    await using librbd = new LibrbdClient(ceph.conf, "client.admin", pool);
    const features = 1 | 4 | 8 | 16 | 32;
    await runDifferential({
      ...{ seed, features, prefix: `turns-${seed}`, steps: 40, clients: { siphon, librbd } },
      check: async (image) => {
        const spec = `${pool}/${image.name}`;
        assert.deepEqual(await objectMapErrors(ceph.conf, "client.admin", spec, image), []);
      },
    });
  });
}

const endings: Record<WorkerEnd, RegExp> = {
  throws: /a worker of image ended-throws ended: a worker's own fault/,
  exits: /a worker of image ended-exits ended: its thread exited with code 3/,
  blocks: /a worker of image ended-blocks ended: it did not answer for 8 s/,
  "is cut off":
    /a worker of image ended-is-cut-off ended: (its thread exited with code 1|the channel .* ended)/,
  waits: /a worker of image ended-waits ended: it did not answer for 8 s; .* this process is killed/,
};

for (const how of workerEnds) {
  test(`a worker that ${how} ends the process, with a message`, async () => {
    const name = `ended-${how.replaceAll(" ", "-")}`;
    await images.create(name, mib);
    const script = new URL("../../support/rbd/chain-process.ts", import.meta.url).pathname;
    const failed = run(process.execPath, [script, ceph.conf, pool, name, "2", how, pipe]);
    const error = (await failed.then(
      () => assert.fail("it ended well"),
      (reason) => reason,
    )) as { code: number | null; signal: string | null; stderr: string };
    const expected = how === "waits" ? [null, "SIGKILL"] : [1, null];
    assert.deepEqual([error.code, error.signal], expected, error.stderr);
    assert.match(error.stderr, endings[how]);
  });
}

async function connect(): Promise<ImagePool> {
  const cluster = await Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {} });
  ending.defer(() => cluster.close());
  return ImagePool.open(cluster, pool);
}

function inWorkers(image: Image, task: WorkerTask): Promise<unknown[]> {
  return image.workers!.run(module, task);
}

/** The content of an image or a snapshot, as Ceph's own client reads it. */
async function exported(spec: string): Promise<Buffer> {
  const { stdout } = await run(
    "rbd",
    ["--conf", ceph.conf, "--name", "client.admin", "export", `${pool}/${spec}`, "-", "--no-progress"],
    { encoding: "buffer", maxBuffer: 2 ** 30 },
  );
  return stdout;
}

async function assertCleanMap(name: string): Promise<void> {
  assert.deepEqual(await objectMapErrors(ceph.conf, "client.admin", `${pool}/${name}`), []);
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, each) => all + each, 0);
