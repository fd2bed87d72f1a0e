import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { LocalCluster } from "@siphon/lab";
import { Cluster } from "@siphon/rados";
import { ImagePool, imageFeature, imageFlag, toRead } from "@siphon/rbd";
import { lock } from "../../../rbd/src/cls/lock.ts";
import { changeAll } from "../../../rbd/src/cls/run.ts";
import { OpenImage } from "../../../rbd/src/image/open-image.ts";
import { managedLock } from "../../../rbd/src/lock/locker.ts";
import { headerObject } from "../../../rbd/src/object-names.ts";
import type { OwnerTask } from "../../../rbd/src/watch/owner-task.ts";
import { forgetful } from "../../soak/rbd/interrupted/campaign.ts";
import { objectMapErrors } from "../../support/rbd/differential/object-map-check.ts";
import { Stalled } from "../../support/rbd/stalled.ts";
import { until } from "../../support/until.ts";

/** The owner of an image's lock while others request the lock, wait for it, or declare the owner dead. */

const run = promisify(execFile);
const pool = "libvirt-pool";
const mib = 2 ** 20;

let ceph: LocalCluster;
let images: ImagePool;
let others: ImagePool;
const ending = new AsyncDisposableStack();

before(async () => {
  const small = { osds: 1, replicas: 1, store: "memstore", pgs: 8 } as const;
  ceph = await LocalCluster.up({ name: "rbd-owners", ...small, settings: forgetful });
  ending.defer(() => ceph.down());
  images = await connect();
  others = await connect();
});

after(() => ending.disposeAsync());

test("the lock follows its owner's watch during a long task, and another client's writes wait until the task ends", async () => {
  const stalled = new Stalled();
  const cluster = await Cluster.connect({ ...identity(), openTransport: stalled.open });
  ending.defer(() => cluster.close());
  const id = await images.create("long", mib);
  const theirPool = (await ImagePool.open(cluster, pool)).pool;
  const image = await OpenImage.open(cluster, theirPool, id, "long", {});
  const task = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const done = image.lock!.whileOwned(() => {
    begun.resolve();
    return task.promise;
  });
  await begun.promise;
  await using seen = await others.open("long", { readOnly: true, watch: false });
  const [owner] = (await seen.locks.list()).lockers;
  stalled.begin();
  await until(async () => (await seen.watchers()).length === 0);
  stalled.end();
  await until(async () => (await seen.locks.list()).lockers[0]?.cookie !== owner!.cookie);
  const [now] = (await seen.locks.list()).lockers;
  assert.equal(now!.client, owner!.client);
  assert.deepEqual(
    (await seen.watchers()).map(({ cookie }) => `auto ${cookie}`),
    [now!.cookie],
  );
  // Another client requests the lock, and waits.
  await using next = await others.open("long");
  const written = next.write(0, Buffer.from("next"));
  await image.changeHeader();
  task.resolve();
  assert.ok(await done);
  await written;
  await image.close();
  assert.deepEqual(await blocked(), []);
});

test("a manually taken lock is released by its owner, and breaking one's own lock fences nobody", async () => {
  await images.create("advisory", mib);
  await using image = await images.open("advisory");
  await image.locks.add("mine");
  await image.locks.remove("mine");
  assert.deepEqual((await image.locks.list()).lockers, []);
  await assert.rejects(image.locks.remove("mine"), { code: "ENOENT" });
  await image.locks.add("mine");
  const [own] = (await image.locks.list()).lockers;
  await image.locks.break(`client.${own!.client}`, "mine");
  await image.write(0, Buffer.from("still here"));
  assert.deepEqual(await blocked(), []);
});

test("a client takes a lock that it left behind itself without fencing itself", async () => {
  const id = await images.create("left", mib);
  // No watch has this cookie.
  await changeAll(images.pool, headerObject(id), [lock(managedLock(987_654n))]);
  await using image = await images.open("left");
  await image.write(0, Buffer.from("x"));
  assert.ok(image.locks.owned);
  assert.deepEqual(await blocked(), []);
});

test("a mirror snapshot requested from us is a mirror snapshot, not a user snapshot", async () => {
  await images.create("mirrored", mib);
  await using image = await images.open("mirrored");
  await image.write(0, Buffer.from("x"));
  assert.ok(image.locks.owned);
  await rbd("mirror", "pool", "enable", pool, "image");
  await rbd("mirror", "image", "enable", `${pool}/mirrored`, "snapshot");
  const listed = JSON.parse(await rbd("snap", "ls", "--all", `${pool}/mirrored`, "--format", "json"));
  assert.deepEqual(
    listed.map(({ namespace }: { namespace: { type: string } }) => namespace.type),
    ["mirror"],
  );
  await image.refresh();
  assert.deepEqual(image.snapshots.list(), []);
  await rbd("mirror", "image", "disable", `${pool}/mirrored`);
});

test("an owner that keeps its lock carries out the requests of rbd and of another client of ours", async () => {
  const id = await images.create("kept", 64 * mib, { objectSize: mib });
  await using owner = await images.open("kept", { exclusive: true });
  await owner.write(0, Buffer.from("x"));
  const spec = `${pool}/kept`;
  await rbd("feature", "disable", spec, "object-map");
  await owner.write(mib, Buffer.from("without a map"));
  await rbd("feature", "enable", spec, "object-map", "fast-diff");
  // The rebuilt map must include what is written during the rebuild.
  let stop = false;
  const writing = (async () => {
    for (let n = 0; !stop; n++) {
      await owner.write((2 + (n % 60)) * mib, Buffer.from(`write ${n}`));
      await owner.discard((2 + ((n + 30) % 60)) * mib, mib);
    }
  })();
  await rbd("object-map", "rebuild", "--no-progress", spec);
  await using other = await others.open("kept");
  assert.equal(other.header.flags & imageFlag.objectMapInvalid, 0);
  await other.rebuildObjectMap();
  await other.updateFeatures(imageFeature.deepFlatten, false);
  stop = true;
  await writing;
  await owner.write(63 * mib, Buffer.from("last"));
  assert.equal(owner.header.features & imageFeature.deepFlatten, 0);
  assert.ok(owner.locks.owned);
  await other.snapshots.setLimit(1);
  await other.snapshots.create("one");
  await assert.rejects(other.snapshots.create("two"), { errno: -122 });
  await other.close();
  // Newer releases of librbd request the following tasks like this.
  const asking = await OpenImage.open(others.cluster, others.pool, id, "kept", {});
  ending.defer(() => asking.close());
  const asked = async (task: Partial<OwnerTask>) =>
    asking.requests.perform({ ...task, id: await asking.requests.newId() } as OwnerTask);
  await asked({ type: "rename", name: "renamed" });
  assert.equal((await others.list()).find((entry) => entry.id === id)?.name, "renamed");
  await owner.close();
  await others.rename("renamed", "kept");
  assert.deepEqual(await objectMapErrors(ceph.conf, "client.admin", spec), []);
});

test("flattening the last clone removes its parent's snapshot from the trash", async () => {
  await images.create("parent", mib);
  await using parent = await images.open("parent");
  await parent.write(0, Buffer.from("of the parent"));
  await parent.snapshots.create("s");
  await images.clone("parent", "s", "clone", images, { version: 2 });
  await parent.refresh();
  await parent.snapshots.remove("s");
  assert.equal(parent.snapshots.all().length, 1);
  await using clone = await images.open("clone");
  await clone.flatten();
  await parent.refresh();
  assert.deepEqual(parent.snapshots.all(), []);
});

test("an owner that flattens the last clone for another client removes the parent that waited in the trash", async () => {
  const id = await images.create("waiting", mib);
  {
    await using parent = await images.open("waiting");
    await parent.write(0, Buffer.from("of the parent"));
    await parent.snapshots.create("s");
    await images.clone("waiting", "s", "last-clone", images, { version: 2 });
    await parent.refresh();
    await parent.snapshots.remove("s");
  }
  await images.trash.move("waiting", undefined, "user_parent");
  await using clone = await images.open("last-clone");
  await clone.locks.acquire();
  await rbd("flatten", `${pool}/last-clone`, "--no-progress");
  assert.ok(clone.locks.owned);
  assert.ok(!(await images.trash.list()).some((entry) => entry.id === id));
  assert.equal((await clone.read(0, 13)).toString(), "of the parent");
});

test("while an image is made smaller, writes below its new end continue", async () => {
  const objectSize = 65_536;
  // Without an object map the resize queries all objects, which takes long enough.
  await images.create("smaller", 4_000 * objectSize, { objectSize, features: 5 });
  await using image = await images.open("smaller");
  let isOver = false;
  let writes = 0;
  const sizes: number[] = [];
  using _listening = image.onResize((size) => sizes.push(size));
  const writing = (async () => {
    while (!isOver) {
      await image.write(0, Buffer.from(`write ${writes}`));
      if (sizes.length > 0) writes++;
    }
  })();
  await image.resize(objectSize + 512, { allowShrink: true });
  const during = writes;
  isOver = true;
  await writing;
  assert.ok(during > 20, `${during} writes`);
  assert.deepEqual(sizes, [objectSize + 512]);
  await assert.rejects(image.write(2 * objectSize, Buffer.from("x")));
});

test("snapshots of rbd wait until a quiesce watcher is quiet, and fail if it cannot quiesce", async () => {
  // With a lock, rbd asks us to take the snapshots; without one, it takes them itself.
  for (const features of [imageFeature.layering, imageFeature.layering | imageFeature.exclusiveLock]) {
    const name = `quiet${features}`;
    await images.create(name, mib, { features });
    await using image = await images.open(name);
    await image.write(0, Buffer.from("before"));
    const told: string[] = [];
    let isAble = true;
    const watching = image.onQuiesce({
      quiesce: async () => {
        told.push("quiesce");
        if (!isAble) throw new Error("not now");
        await image.write(0, Buffer.from("quiet!"));
      },
      unquiesce: () => void told.push("unquiesce"),
    });
    await rbd("snap", "create", `${pool}/${name}@one`, "--no-progress");
    assert.deepEqual(told, ["quiesce", "unquiesce"]);
    await using snapshot = await others.open(name, toRead("one"));
    assert.equal((await snapshot.read(0, 6)).toString(), "quiet!");
    isAble = false;
    await assert.rejects(rbd("snap", "create", `${pool}/${name}@two`, "--no-progress"));
    await rbd("snap", "create", `${pool}/${name}@three`, "--no-progress", "--ignore-quiesce-error");
    watching[Symbol.dispose]();
    await rbd("snap", "create", `${pool}/${name}@four`, "--no-progress");
    await image.refresh();
    const names = image.snapshots.list().map((each) => each.name);
    assert.deepEqual(names, ["one", "three", "four"]);
  }
});

function identity() {
  return { conf: ceph.conf, name: "client.admin", env: {} };
}

async function connect(): Promise<ImagePool> {
  const cluster = await Cluster.connect(identity());
  ending.defer(() => cluster.close());
  return ImagePool.open(cluster, pool);
}

async function blocked(): Promise<unknown[]> {
  return (await others.cluster.command({ prefix: "osd blocklist ls" })) as unknown[];
}

async function rbd(...args: string[]): Promise<string> {
  const { stdout } = await run("rbd", ["--conf", ceph.conf, "--name", "client.admin", ...args]);
  return stdout;
}
