import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { LocalCluster } from "@siphon/lab";
import { Cluster } from "@siphon/rados";
import { type CreateOptions, type Image, ImagePool, imageFeature } from "@siphon/rbd";
import { LibrbdClient } from "../../support/rbd/differential/librbd-client.ts";
import { objectMapErrors } from "../../support/rbd/differential/object-map-check.ts";

const run = promisify(execFile);
const pool = "libvirt-pool";
const mib = 2 ** 20;
const { layering, exclusiveLock, objectMap, fastDiff, deepFlatten } = imageFeature;

let ceph: LocalCluster;
let cluster: Cluster;
let images: ImagePool;
let directory: string;

before(async () => {
  ceph = await LocalCluster.up({
    ...{ name: "rbd-images", osds: 3, replicas: 1, store: "memstore", pgs: 8 },
    settings: { mon_debug_no_require_bluestore_for_ec_overwrites: true },
  });
  cluster = await Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {} });
  images = await ImagePool.open(cluster, pool);
  directory = await mkdtemp(join(tmpdir(), "siphon-images-"));
});

after(async () => {
  cluster?.close();
  await ceph?.down();
  if (directory) await rm(directory, { recursive: true });
});

test("images that we create equal those that rbd creates, with all options", async () => {
  await cephCommand("osd", "erasure-code-profile", "set", "small", "k=2", "m=1", "crush-failure-domain=osd");
  await cephCommand("osd", "pool", "create", "ec", "8", "8", "erasure", "small");
  await cephCommand("osd", "pool", "set", "ec", "allow_ec_overwrites", "true");
  await cluster.latestOsdMap();
  const shared = layering | deepFlatten;
  const shapes: [string, string[], CreateOptions][] = [
    ["usual", [], {}],
    ["small", ["--object-size", "64K"], { objectSize: 65_536 }],
    ["shared", ["--image-shared"], { features: shared }],
    ["striped", ["--stripe-unit", "64K", "--stripe-count", "3"], { stripeUnit: 65_536, stripeCount: 3 }],
    ["ec", ["--data-pool", "ec"], { dataPool: "ec" }],
  ];
  await Promise.all(
    shapes.map(async ([name, flags, options]) => {
      await rbd("create", `${pool}/${name}-theirs`, "--size", "9M", ...flags);
      await images.create(`${name}-ours`, 9 * mib, options);
      assert.deepEqual(await shapeOf(`${name}-ours`), await shapeOf(`${name}-theirs`));
      await using image = await images.open(`${name}-ours`);
      const bytes = randomBytes(3 * mib);
      await image.write(2 * mib + 12_345, bytes);
      await image.close();
      const exported = await exportImage(`${name}-ours`);
      assert.equal(exported.length, 9 * mib);
      assert.ok(exported.subarray(2 * mib + 12_345, 5 * mib + 12_345).equals(bytes));
      await assertCleanMap(`${name}-ours`);
      await images.remove(`${name}-ours`);
      await images.remove(`${name}-theirs`);
    }),
  );
  assert.deepEqual(await images.list(), []);
  assert.doesNotMatch(await radosList(pool), /rbd_(data|header|object_map|id)\./);
  assert.equal(await radosList("ec"), "rbd_info\n");
});

test("qemu-img reads what we wrote, and we read what it wrote", async () => {
  const raw = join(directory, "disk.raw");
  const bytes = Buffer.concat([randomBytes(5 * mib), Buffer.alloc(6 * mib), randomBytes(mib)]);
  await writeFile(raw, bytes);
  await images.create("by-us", bytes.length);
  await using ours = await images.open("by-us");
  await ours.write(0, bytes.subarray(0, 5 * mib));
  await ours.write(11 * mib, bytes.subarray(11 * mib));
  await ours.flush();
  await ours.close();
  const path = (name: string) => `rbd:${pool}/${name}:conf=${ceph.conf}:id=admin`;
  await run("qemu-img", ["compare", "-f", "raw", "-F", "raw", raw, path("by-us")]);
  await run("qemu-img", ["convert", "-f", "raw", "-O", "raw", raw, path("by-qemu")]);
  await using theirs = await images.open("by-qemu");
  assert.equal(theirs.size, bytes.length);
  assert.equal(digest(await theirs.read(0, theirs.size)), digest(bytes));
  await assertCleanMap("by-us");
});

test("a resize by rbd is seen at once, and ours by librbd, whoever holds the lock", async () => {
  await images.create("sized", 4 * mib);
  await using ours = await images.open("sized");
  const sizes: number[] = [];
  using _listening = ours.onResize((size) => sizes.push(size));
  await ours.write(0, Buffer.from("ours"));
  assert.ok(ours.locks.owned);
  // We hold the lock, so rbd asks us to resize.
  await rbd("resize", `${pool}/sized`, "--size", "40M", "--no-progress");
  assert.deepEqual([ours.size, ours.locks.owned], [40 * mib, true]);
  await ours.write(39 * mib, Buffer.from("far"));
  await rbd("resize", `${pool}/sized`, "--size", "3M", "--allow-shrink", "--no-progress");
  assert.equal(ours.size, 3 * mib);
  await ours.resize(40 * mib);
  assert.ok((await ours.read(39 * mib, 3)).equals(Buffer.alloc(3)), "what was cut off is gone");
  await using theirs = new LibrbdClient(ceph.conf, "client.admin", pool);
  await theirs.open("sized");
  await theirs.write("sized", 0, Buffer.from("theirs"));
  assert.ok(!ours.locks.owned);
  // rbd holds the lock, so we ask it.
  await ours.resize(20 * mib, { allowShrink: true });
  assert.ok(!ours.locks.owned);
  await theirs.resize("sized", 24 * mib);
  await ours.snapshots.create("asked");
  assert.deepEqual(
    ours.snapshots.list().map(({ name, size }) => ({ name, size })),
    [{ name: "asked", size: 24 * mib }],
  );
  assert.deepEqual(
    sizes,
    [40, 3, 40, 20, 24].map((size) => size * mib),
  );
  await assert.rejects(ours.resize(mib), { code: /SIPHON_RBD_(INVALID|REFUSED)/, errno: -22 });
  await theirs.close("sized");
  await ours.close();
  await assertCleanMap("sized");
});

test("while we hold the lock, we carry out rbd's changes of snapshots", async () => {
  await images.create("asked", 8 * mib);
  await using ours = await images.open("asked");
  await ours.write(0, Buffer.from("then"));
  const snap = (command: string, ...args: string[]) => rbd("snap", command, ...args);
  const names = () => ours.snapshots.list().map(({ name, isProtected }) => (isProtected ? `${name}!` : name));
  await snap("create", `${pool}/asked@a`, "--no-progress");
  await snap("create", `${pool}/asked@b`, "--no-progress");
  assert.deepEqual(names(), ["a", "b"]);
  await snap("rename", `${pool}/asked@b`, `${pool}/asked@c`);
  await snap("protect", `${pool}/asked@a`);
  assert.deepEqual(names(), ["a!", "c"]);
  await assert.rejects(snap("create", `${pool}/asked@a`, "--no-progress"), /\(17\) File exists/);
  await snap("rm", `${pool}/asked@c`, "--no-progress");
  await snap("unprotect", `${pool}/asked@a`);
  assert.deepEqual(names(), ["a"]);
  assert.ok(ours.locks.owned);
  await ours.write(0, Buffer.from("now!"));
  await using then = await images.open("asked", { snapshot: "a" });
  assert.equal((await then.read(0, 4)).toString(), "then");
  await assert.rejects(then.write(0, Buffer.from("x")), { code: "SIPHON_RBD_READ_ONLY" });
  await ours.snapshots.rollBack("a");
  assert.equal((await ours.read(0, 4)).toString(), "then");
  await ours.close();
  await assertCleanMap("asked");
});

test("a snapshot that rbd takes while we write contains exactly the writes acknowledged before it", async (t) => {
  for (const [name, features] of [
    ["locked", layering | exclusiveLock | objectMap | fastDiff],
    ["mapless", layering | exclusiveLock],
  ] as const) {
    await t.test(name, () => cutWhileWriting(name, features));
  }
});

/** Writers number their writes. Each snapshot must be a state that existed between two moments. */
async function cutWhileWriting(name: string, features: number): Promise<void> {
  await images.create(name, 16 * mib, { features });
  await using image = await images.open(name);
  const writers = 16;
  const counters: number[] = Array(writers).fill(0);
  const log: { writer: number; number: number; begun: number; acknowledged: number }[] = [];
  let clock = 0;
  let stopped = false;
  const writer = async (index: number) => {
    while (!stopped) {
      const entry = {
        writer: index,
        number: ++counters[index]!,
        begun: ++clock,
        acknowledged: Number.POSITIVE_INFINITY,
      };
      log.push(entry);
      const block = Buffer.alloc(4096);
      block.writeUInt32LE(entry.number);
      await image.write(index * mib, block);
      entry.acknowledged = ++clock;
    }
  };
  const writing = Promise.all(counters.map((_, index) => writer(index)));
  const spans: { asked: number; taken: number }[] = [];
  for (let snapshot = 0; snapshot < 3; snapshot++) {
    const asked = clock;
    await rbd("snap", "create", `${pool}/${name}@${snapshot}`, "--no-progress");
    spans.push({ asked, taken: clock });
  }
  stopped = true;
  await writing;
  for (const [snapshot, { asked, taken }] of spans.entries()) {
    await using at = await images.open(name, { snapshot: String(snapshot) });
    const seen = await Promise.all(
      counters.map(async (_, index) => (await at.read(index * mib, 4)).readUInt32LE()),
    );
    const holds = ({ writer, number }: { writer: number; number: number }) => number <= seen[writer]!;
    const newest = Math.max(0, ...log.filter(holds).map(({ begun }) => begun));
    for (const entry of log) {
      if (entry.acknowledged <= asked)
        assert.ok(holds(entry), `acknowledged before snapshot ${snapshot}, and lost`);
      if (entry.begun > taken) assert.ok(!holds(entry), `begun after snapshot ${snapshot}, and in it`);
      // If a snapshot contains a write, it must also contain all writes acknowledged before that one began.
      if (entry.acknowledged < newest) assert.ok(holds(entry), `snapshot ${snapshot} is torn`);
    }
  }
  await image.close();
  await assertCleanMap(name);
}

test("clones of both versions: made, listed, written, flattened and removed, by us and by rbd", async () => {
  await rbd("create", `${pool}/base`, "--size", "16M");
  await using base = await images.open("base");
  await base.write(5 * mib, Buffer.from("of the parent"));
  await base.snapshots.create("s");
  await base.write(5 * mib, Buffer.from("of the head!!"));
  await assert.rejects(images.clone("base", "s", "old", images, { version: 1 }), {
    code: "SIPHON_RBD_INVALID",
  });
  await base.snapshots.protect("s");
  await images.clone("base", "s", "old", images, { version: 1 });
  await images.clone("base", "s", "new", images, { version: 2 });
  await rbd("clone", `${pool}/base@s`, `${pool}/theirs`);
  assert.deepEqual(
    (await base.children()).map(({ name }) => name),
    ["new", "old", "theirs"],
  );
  assert.equal(
    await rbd("children", `${pool}/base`),
    ["new", "old", "theirs"].map((name) => `${pool}/${name}\n`).join(""),
  );
  await assert.rejects(base.snapshots.unprotect("s"), { code: /SIPHON_RBD_(BUSY|REFUSED)/, errno: -16 });
  await using old = await images.open("old");
  await old.write(5 * mib + 3, Buffer.from("---"));
  assert.equal((await old.read(5 * mib, 13)).toString(), "of --- parent");
  await old.snapshots.create("kept");
  await old.flatten();
  assert.equal(old.header.parent, undefined);
  await rbd("flatten", `${pool}/theirs`, "--no-progress");
  await base.snapshots.unprotect("s");
  // The clone of version 2 still needs the snapshot, so it only becomes invisible.
  await base.snapshots.remove("s");
  assert.deepEqual(base.snapshots.list(), []);
  assert.deepEqual(
    base.snapshots.all().map(({ namespace }) => namespace.type),
    ["trash"],
  );
  assert.equal(await rbd("snap", "ls", `${pool}/base`), "");
  await using young = await images.open("new");
  assert.equal((await young.read(5 * mib, 13)).toString(), "of the parent");
  await young.close();
  await images.remove("new");
  await base.refresh();
  assert.deepEqual(base.snapshots.all(), []);
  await using at = await images.open("old", { snapshot: "kept" });
  assert.equal((await at.read(5 * mib, 13)).toString(), "of --- parent");
  await at.close();
  await old.close();
  await base.close();
  for (const name of ["base", "old", "theirs"]) await assertCleanMap(name);
});

test("the deep copy of a clone is a clone of the requested version, if such a clone is possible", async () => {
  await images.create("origin", mib);
  await using origin = await images.open("origin");
  await origin.snapshots.create("s");
  await images.clone("origin", "s", "second", images, { version: 2 });
  const first = { code: "SIPHON_RBD_INVALID", message: /origin@s is not protected/ };
  await assert.rejects(images.deepCopy("second", "copy", images, { version: 1 }), first);
  assert.ok((await images.list()).every(({ name }) => name !== "copy"));
  await origin.snapshots.protect("s");
  await images.deepCopy("second", "copy", images, { version: 1 });
  await images.deepCopy("copy", "back", images, { version: 2 });
  await images.deepCopy("second", "same");
  const features = async (name: string) =>
    JSON.parse(await rbd("info", `${pool}/${name}`, "--format", "json"));
  const isSecond = async (name: string) => (await features(name)).op_features.includes("clone-child");
  assert.deepEqual(await Promise.all(["copy", "back", "same"].map(isSecond)), [false, true, true]);
  const children = (await origin.children()).map(({ name }) => name);
  assert.deepEqual(children, ["back", "copy", "same", "second"]);
  for (const name of ["back", "same", "second"]) await images.remove(name);
  await assert.rejects(origin.snapshots.unprotect("s"), { code: "SIPHON_RBD_BUSY" });
  await rbd("rm", `${pool}/copy`, "--no-progress");
  await origin.snapshots.unprotect("s");
});

test("a snapshot removed by force leaves its clones' data intact, even of clones that are in use or in the trash", async () => {
  await images.create("forced", 8 * mib);
  await using forced = await images.open("forced");
  await forced.write(5 * mib, Buffer.from("of the parent"));
  await forced.snapshots.create("s");
  await forced.snapshots.protect("s");
  await images.clone("forced", "s", "occupied", images, { version: 1 });
  await images.clone("forced", "s", "put-away", images, { version: 2 });
  const id = await images.trash.move("put-away");
  await using used = await images.open("occupied", { exclusive: true });
  await used.write(5 * mib + 3, Buffer.from("---"));
  await used.snapshots.create("below");
  await images.clone("occupied", "below", "grandchild", images, { version: 2 });
  assert.deepEqual(
    (await forced.descendants()).map(({ name, trash }) => [name, trash]),
    [
      ["grandchild", false],
      ["occupied", false],
      ["put-away", true],
    ],
  );
  await forced.snapshots.remove("s", { force: true });
  assert.deepEqual(forced.snapshots.all(), []);
  assert.equal(used.header.parent, undefined);
  assert.equal((await used.read(5 * mib, 13)).toString(), "of --- parent");
  await using putAway = await images.openById(id, { readOnly: true });
  assert.equal((await putAway.read(5 * mib, 13)).toString(), "of the parent");
  await used.snapshots.remove("below", { force: true });
  await using grandchild = await images.open("grandchild");
  assert.equal((await grandchild.read(5 * mib, 13)).toString(), "of --- parent");
});

for (const features of [
  layering | exclusiveLock | objectMap | fastDiff | deepFlatten,
  layering | deepFlatten,
]) {
  test(`a clone made smaller keeps its snapshots' view of the parent, features ${features}`, async () => {
    const name = `shrunk-${features}`;
    const bytes = randomBytes(4 * mib);
    await images.create(`${name}-parent`, bytes.length, { objectSize: mib });
    await using parent = await images.open(`${name}-parent`);
    await parent.write(0, bytes);
    await parent.snapshots.create("s");
    await images.clone(`${name}-parent`, "s", name, images, { version: 2, features, objectSize: mib });
    await using clone = await images.open(name);
    await clone.snapshots.create("whole");
    // The new end is in the middle of an object that only the parent has so far.
    await clone.resize(1.5 * mib, { allowShrink: true });
    await clone.resize(4 * mib);
    const cut = Buffer.concat([bytes.subarray(0, 1.5 * mib), Buffer.alloc(2.5 * mib)]);
    assert.equal(digest(await clone.read(0, 4 * mib)), digest(cut));
    await clone.flatten();
    await using at = await images.open(name, { snapshot: "whole" });
    assert.equal(digest(await at.read(0, 4 * mib)), digest(bytes));
    await clone.snapshots.rollBack("whole");
    assert.equal(digest(await clone.read(0, 4 * mib)), digest(bytes));
    await at.close();
    await clone.close();
    assert.equal(digest(await exportImage(`${name}@whole`)), digest(bytes));
    await assertCleanMap(name);
  });
}

test("an image has a cache if the configuration asks for one; others see acknowledged writes after a flush", async () => {
  await images.create("cached", mib);
  await using plain = await images.open("cached");
  assert.ok(!plain.volatile);
  await plain.close();
  await cephCommand("config", "set", "client", "rbd_cache_policy", "writeback");
  const settings = { rbd_cache: "true" };
  await using other = await Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {}, settings });
  while (other.setting("rbd_cache_policy") === undefined) await new Promise(setImmediate);
  await using cached = await (await ImagePool.open(other, pool)).open("cached");
  assert.ok(cached.volatile);
  await cached.locks.acquire();
  const bytes = randomBytes(65_536);
  // Without any flush the cache stays in writethrough, so nothing can be lost.
  await cached.write(0, bytes);
  await using reader = await images.open("cached", { readOnly: true });
  assert.ok((await reader.read(0, bytes.length)).equals(bytes));
  await reader.close();
  await cached.flush();
  await cached.write(4096, bytes);
  assert.ok((await cached.read(4096, bytes.length)).equals(bytes));
  assert.equal(cached.counters.requests.read, 0, "read from what was written");
  await cached.flush();
  assert.ok((await exportImage("cached")).subarray(4096, 4096 + bytes.length).equals(bytes));
  await cached.snapshots.create("s");
  await cached.write(0, bytes);
  // rbd's new snapshot contains everything that the cache has acknowledged.
  await rbd("snap", "create", `${pool}/cached@t`, "--no-progress");
  assert.ok((await exportImage("cached@t")).subarray(0, bytes.length).equals(bytes));
  await cached.close();
  await assertCleanMap("cached");
  await cephCommand("config", "rm", "client", "rbd_cache_policy");
});

test("diffs from an id, thick zeros, reads beyond the end, cache invalidation and pool metadata are like librbd's", async () => {
  await images.create("like", 8 * mib, { features: layering });
  await using image = await images.open("like", { cache: { policy: "writethrough" } });
  await image.snapshots.create("s");
  await image.writeZeroes(0, 4 * mib);
  assert.deepEqual(await objectsOf(pool, image.id), []);
  await image.writeZeroes(0, 4 * mib, { thick: true });
  assert.deepEqual(await objectsOf(pool, image.id), ["0000000000000000"]);
  const { id } = image.snapshots.named("s");
  const changed = async (from: string | number) => {
    const extents = [];
    for await (const extent of image.diff({ from, wholeObject: true }).extents()) extents.push(extent);
    return extents;
  };
  assert.deepEqual(await changed(id), [{ offset: 0, length: 4 * mib, exists: true }]);
  assert.deepEqual(await changed(id), await changed("s"));
  assert.throws(() => image.diff({ from: id + 1000 }), { code: "SIPHON_RBD_NO_SNAPSHOT" });

  await assert.rejects(image.read(8 * mib, 1), { code: "SIPHON_RBD_INVALID" });
  assert.equal((await image.read(8 * mib, 0)).length, 0);
  assert.equal((await image.read(8 * mib - 1, 2)).length, 1);

  const start = async () => (await image.read(0, 3)).toString();
  assert.equal(await start(), "\0\0\0");
  await using other = await images.open("like");
  await other.write(0, Buffer.from("new"));
  assert.equal(await start(), "\0\0\0", "the cache knows nothing of a change without a lock");
  await image.invalidateCache();
  assert.equal(await start(), "new");

  await images.metadata.set(new Map([["ours", "1"]]));
  assert.equal(await python(), "{'ours': '1'} InvalidArgument");
  assert.deepEqual([...(await images.metadata.list())], [["theirs", "2"]]);
  const unused = await (async () => {
    await cephCommand("osd", "pool", "create", "unused", "1");
    await cluster.latestOsdMap();
    return ImagePool.open(cluster, "unused");
  })();
  assert.deepEqual([...(await unused.metadata.list())], []);
});

/** Prints the pool's metadata and the error of a read beyond the end of an image; then changes the metadata. */
async function python(): Promise<string> {
  const script = `
import rados, rbd, sys
with rados.Rados(conffile=sys.argv[1], name="client.admin") as cluster, cluster.open_ioctx(sys.argv[2]) as pool:
    r = rbd.RBD()
    print(dict(r.pool_metadata_list(pool)), end=" ")
    r.pool_metadata_remove(pool, "ours")
    r.pool_metadata_set(pool, "theirs", "2")
    with rbd.Image(pool, "like", read_only=True) as image:
        try:
            image.read(image.size(), 1)
        except rbd.Error as error:
            print(type(error).__name__, end="")
`;
  const program = process.env.SIPHON_TEST_PYTHON ?? "/usr/bin/python3";
  return (await run(program, ["-c", script, ceph.conf, pool])).stdout;
}

test("an operation that is not possible is refused with a clear message", async () => {
  await assert.rejects(images.open("nowhere"), {
    code: "SIPHON_RBD_NO_IMAGE",
    message: /there is no image libvirt-pool\/nowhere/,
  });
  await assert.rejects(images.create("by-us", mib), { code: "SIPHON_RBD_EXISTS" });
  await assert.rejects(images.create("odd", mib, { objectSize: 5000 }), { code: "SIPHON_RBD_INVALID" });
  await assert.rejects(images.create("ro", mib, { features: objectMap }), { code: "SIPHON_RBD_INVALID" });
  await images.create("used", mib);
  await using user = await images.open("used");
  await assert.rejects(images.remove("used"), { code: "SIPHON_RBD_BUSY", message: /open/ });
  await user.snapshots.create("s");
  await user.snapshots.setLimit(1);
  await assert.rejects(user.snapshots.create("t"), { code: "SIPHON_RBD_LIMIT" });
  await user.snapshots.setLimit(undefined);
  await assert.rejects(user.snapshots.create("s"), { code: "SIPHON_RBD_EXISTS" });
  await user.close();
  await assert.rejects(images.remove("used"), { code: "SIPHON_RBD_BUSY", message: /snapshots/ });
  await assert.rejects(user.write(0, Buffer.from("x")), { code: "SIPHON_RBD_CLOSED" });
});

test("images that siphon must not write to can be opened read-only", async () => {
  await rbd(
    "create",
    `${pool}/journaled`,
    "--size",
    "4M",
    "--image-feature",
    "layering,exclusive-lock,journaling",
  );
  await assert.rejects(images.open("journaled"), { code: "SIPHON_RBD_UNSUPPORTED", message: /journaling/ });
  await using image = await images.open("journaled", { readOnly: true });
  assert.ok((await image.read(0, 512)).equals(Buffer.alloc(512)));
  await assert.rejects(image.write(0, Buffer.from("x")), { code: "SIPHON_RBD_READ_ONLY" });
  // Without this variable rbd no longer creates images of format 1.
  process.env.RBD_FORCE_ALLOW_V1 = "1";
  await rbd("create", `${pool}/old-format`, "--size", "4M", "--image-format", "1");
  await assert.rejects(images.open("old-format"), { code: "SIPHON_RBD_UNSUPPORTED", message: /format 1/ });
  await using old = await images.open("old-format", { readOnly: true });
  assert.ok((await old.read(0, 512)).equals(Buffer.alloc(512)));
  assert.ok((await images.list()).some(({ name }) => name === "old-format"));
  await images.pool.writeFull("nothing.rbd", Buffer.from("<<< Rados Block Device Image >>>\n"));
  await assert.rejects(images.open("nothing"), { code: "SIPHON_RBD_UNSUPPORTED" });
});

test("sparsifying frees the same space as librbd's, and a dry run reports it beforehand", async () => {
  const zeros = Buffer.alloc(mib);
  for (const [kind, dataPool] of [["plain"], ["clone"], ["snapped"], ["coded", "ec"]] as const) {
    const names = [`${kind}-ours`, `${kind}-their`] as const;
    const ids: string[] = [];
    for (const name of names) {
      if (kind === "clone") {
        await images.create(`${name}-p`, 4 * mib, { objectSize: mib });
        await using parent = await images.open(`${name}-p`);
        await parent.write(0, Buffer.alloc(4 * mib, "parent"));
        await parent.snapshots.create("s");
        await parent.close();
        await images.clone(`${name}-p`, "s", name, images, { version: 2 });
      } else await images.create(name, 4 * mib, { objectSize: mib, ...(dataPool && { dataPool }) });
      await using image = await images.open(name);
      await image.resize(6 * mib);
      for (const offset of [0, 1, 4, 5]) await image.write(offset * mib, zeros);
      await image.write(mib + 123_456, Buffer.from("data"));
      if (kind === "snapped") await image.snapshots.create("then");
      await image.write(5 * mib + 777, Buffer.from("more"));
      ids.push(image.id);
    }
    const contents = await exportImage(names[0]);
    await rm(join(directory, names[0]));
    await using ours = await images.open(names[0]);
    const { bytes, objects, emptyObjects } = await ours.findZeros(65_536);
    assert.deepEqual([objects, emptyObjects], [4, 2], kind);
    assert.equal(bytes, 4 * mib - 2 * 65_536);
    await ours.sparsify({ sparseSize: 65_536 });
    await ours.close();
    await rbd("sparsify", `${pool}/${names[1]}`, "--sparse-size", "64K", "--no-progress");
    assert.ok((await exportImage(names[0])).equals(contents));
    const left = await Promise.all(ids.map((id) => objectsOf(dataPool ?? pool, id)));
    assert.deepEqual(left[0], left[1], kind);
    // An object that hides the parent's data remains as an empty object. An object of a snapshot is listed, too.
    assert.equal(left[0]!.length, { plain: 2, clone: 3, snapped: 4, coded: 2 }[kind]);
    // librbd does not update the object map for clean objects.
    if (kind !== "snapped") assert.equal(await usage(names[0]), await usage(names[1]));
    await assertCleanMap(names[0]);
  }
});

test("the lock's owner sparsifies for any client that asks", async () => {
  await images.create("asked-sparse", 4 * mib, { objectSize: mib });
  await using ours = await images.open("asked-sparse");
  await ours.write(mib, Buffer.alloc(mib));
  await rbd("sparsify", `${pool}/asked-sparse`, "--no-progress");
  assert.ok(ours.locks.owned);
  assert.deepEqual(await objectsOf(pool, ours.id), []);
  await ours.write(2 * mib, Buffer.alloc(mib));
  await using theirs = new LibrbdClient(ceph.conf, "client.admin", pool);
  await theirs.open("asked-sparse");
  await theirs.write("asked-sparse", 0, Buffer.from("theirs"));
  await ours.sparsify();
  assert.ok(!ours.locks.owned);
  assert.deepEqual(await objectsOf(pool, ours.id), ["0000000000000000"]);
  await assert.rejects(ours.sparsify({ sparseSize: 2 * mib }), { errno: -22 });
  await theirs.close("asked-sparse");
});

test("an open image obeys features that rbd enables and disables", async () => {
  await images.create("features", 8 * mib);
  await using image = await images.open("features");
  const change = (...args: string[]) => rbd("feature", args[0]!, `${pool}/features`, ...args.slice(1));
  await image.write(0, Buffer.from("1"));
  await change("disable", "object-map", "fast-diff");
  await image.write(5 * mib, Buffer.from("2"));
  await change("enable", "object-map", "fast-diff");
  await image.write(mib, Buffer.from("3"));
  await rbd("object-map", "rebuild", `${pool}/features`, "--no-progress");
  await image.write(6 * mib, Buffer.from("4"));
  assert.ok(image.locks.owned);
  await change("disable", "object-map", "fast-diff");
  await change("disable", "exclusive-lock");
  await image.write(2 * mib, Buffer.from("5"));
  assert.ok(!image.locks.owned);
  await change("enable", "exclusive-lock", "object-map", "fast-diff");
  await rbd("object-map", "rebuild", `${pool}/features`, "--no-progress");
  await image.write(7 * mib, Buffer.from("6"));
  assert.ok(image.locks.owned);
  const texts = [0, 5, 1, 6, 2, 7].map((at) => text(image, at * mib));
  assert.equal((await Promise.all(texts)).join(""), "123456");
  await image.close();
  await assertCleanMap("features");
});

async function text(image: Image, offset: number): Promise<string> {
  return (await image.read(offset, 1)).toString();
}

/** The output of rbd info without the fields that differ between any two images. */
async function shapeOf(name: string): Promise<unknown> {
  const info = JSON.parse(await rbd("info", `${pool}/${name}`, "--format", "json")) as Record<
    string,
    unknown
  >;
  const { id, name: _name, create_timestamp, access_timestamp, modify_timestamp, ...shape } = info;
  return { ...shape, block_name_prefix: String(info.block_name_prefix).replace(String(id), "ID") };
}

async function exportImage(name: string): Promise<Buffer> {
  const path = join(directory, name);
  await rbd("export", `${pool}/${name}`, path, "--no-progress");
  return readFile(path);
}

function digest(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function radosList(name: string): Promise<string> {
  return output("rados", "-p", name, "ls");
}

/** The existing data objects of an image, by number. */
async function objectsOf(dataPool: string, id: string): Promise<string[]> {
  const names = (await radosList(dataPool)).split("\n").filter((name) => name.includes(`.${id}.`));
  const data = names.filter((name) => name.startsWith("rbd_data."));
  return data.map((name) => name.slice(-16)).sort();
}

/** The image's used space according to rbd du. */
async function usage(name: string): Promise<number> {
  const { images } = JSON.parse(await rbd("du", `${pool}/${name}`, "--format", "json"));
  return images[0].used_size;
}

function rbd(...args: string[]): Promise<string> {
  return output("rbd", ...args);
}

function cephCommand(...args: string[]): Promise<string> {
  return output("ceph", ...args);
}

async function output(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(program, ["--conf", ceph.conf, "--name", "client.admin", ...args]);
  return stdout;
}

async function assertCleanMap(name: string): Promise<void> {
  assert.deepEqual(await objectMapErrors(ceph.conf, "client.admin", `${pool}/${name}`), []);
}
