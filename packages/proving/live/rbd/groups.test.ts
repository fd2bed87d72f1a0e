import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { LocalCluster } from "@siphon/lab";
import { Cluster } from "@siphon/rados";
import { type Group, ImagePool, imageFeature } from "@siphon/rbd";
import { headerObject } from "../../../rbd/src/object-names.ts";
import { decodeNotifyMessage, encodeResponse } from "../../../rbd/src/watch/notify-message.ts";
import { LibrbdClient } from "../../support/rbd/differential/librbd-client.ts";
import { objectMapErrors } from "../../support/rbd/differential/object-map-check.ts";

const run = promisify(execFile);
const pool = "libvirt-pool";
const otherPool = "other-pool";
const mib = 2 ** 20;

let ceph: LocalCluster;
let images: ImagePool;
let others: ImagePool;
const ending = new AsyncDisposableStack();

before(async () => {
  ceph = await LocalCluster.up({
    ...{ name: "rbd-groups", osds: 1, replicas: 1, store: "memstore", pgs: 8 },
    // Seconds that a dead client is still seen as a watcher.
    settings: { osd_client_watch_timeout: 12 },
  });
  ending.defer(() => ceph.down());
  await run("ceph", ["--conf", ceph.conf, "--name", "client.admin", "osd", "pool", "create", otherPool, "8"]);
  images = await connect();
  others = await ImagePool.open(images.cluster, otherPool);
});

after(() => ending.disposeAsync());

test("we or rbd take each step of a group's life, and the other continues from there", async () => {
  await images.create("a", 8 * mib);
  await others.create("b", 4 * mib);
  const group = await images.groups.create("mixed");
  await rbd("group", "image", "add", `${pool}/mixed`, `${pool}/a`);
  await group.add("b", others);
  assert.equal(await rbd("group", "image", "ls", `${pool}/mixed`), `${pool}/a \n${otherPool}/b \n`);
  const found = (await group.images()).map((image) => `${image.pool}/${image.name} ${image.state}`);
  assert.deepEqual(found, [`${pool}/a attached`, `${otherPool}/b attached`]);

  const first = await overwrite();
  await rbd("group", "snap", "create", `${pool}/mixed@theirs`);
  const second = await overwrite();
  await group.snapshots.create("ours");
  await overwrite();
  await rbd("group", "snap", "rollback", `${pool}/mixed@ours`, "--no-progress");
  assert.deepEqual(await contents(), second);
  await group.snapshots.rollBack("theirs");
  assert.deepEqual(await contents(), first);

  await group.snapshots.rename("theirs", "by-rbd");
  await rbd("group", "snap", "rename", `${pool}/mixed@ours`, "by-us");
  await images.groups.rename("mixed", "renamed");
  assert.deepEqual((await group.snapshots.list()).map(({ name, state }) => `${name} ${state}`).sort(), [
    ...["by-rbd complete", "by-us complete"],
  ]);
  await rbd("group", "snap", "rm", `${pool}/renamed@by-us`);
  await group.snapshots.remove("by-rbd");
  assert.deepEqual(await snapshotsOf(images, "a"), []);
  await group.snapshots.create("last");
  await rbd("group", "rm", `${pool}/renamed`);
  assert.deepEqual(await images.groups.list(), []);
  await assertCleanMaps("a", "b");
  await images.remove("a");
  await rbd("rm", `${otherPool}/b`, "--no-progress");

  async function overwrite(): Promise<Buffer[]> {
    const bytes = [randomBytes(2 * mib), randomBytes(mib)];
    await using a = await images.open("a");
    await using b = await others.open("b");
    await Promise.all([a.write(3 * mib, bytes[0]!), b.write(0, bytes[1]!)]);
    return bytes;
  }

  async function contents(): Promise<Buffer[]> {
    await using a = await images.open("a", { readOnly: true });
    await using b = await others.open("b", { readOnly: true });
    return [await a.read(3 * mib, 2 * mib), await b.read(0, mib)];
  }
});

test("a snapshot shows all images at the same moment, while we and librbd write to them", async () => {
  const names = ["one", "two"];
  const group = await images.groups.create("moment");
  for (const name of names) {
    await images.create(name, 4 * mib);
    await group.add(name);
  }
  await using theirs = new LibrbdClient(ceph.conf, "client.admin", pool);
  await theirs.open("two");
  await using ours = await (await connect()).open("one");
  const stop = new AbortController();
  const writing = write(stop.signal);
  for (const turn of [1, 2]) {
    await group.snapshots.create(`ours-${turn}`);
    await rbd("group", "snap", "create", `${pool}/moment@theirs-${turn}`);
    // Both at the same time: neither may wait for a resource that the other holds while it waits.
    await Promise.all([
      group.snapshots.create(`both-ours-${turn}`),
      rbd("group", "snap", "create", `${pool}/moment@both-theirs-${turn}`),
    ]);
  }
  stop.abort();
  const written = await writing;
  assert.ok(written > 3, "writes went on between the snapshots");
  for (const { name, images: parts } of await group.snapshots.list()) {
    const counters = await Promise.all(parts.map((part) => counterAt(part.imageId, part.snapId)));
    const { one = 0, two = 0 } = Object.fromEntries(counters);
    assert.ok(one > 0 && (one === two || one === two + 1), `${name} has ${one} and ${two}`);
  }
  await theirs.close("two");
  await ours.close();
  await assertCleanMaps(...names);
  await rbd("group", "rm", `${pool}/moment`);
  assert.deepEqual(await snapshotsOf(images, "two"), []);

  /** Writes the same number to both images in turn: the second is never ahead, and at most one behind. */
  async function write(signal: AbortSignal): Promise<number> {
    for (let count = 1; ; count++) {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(BigInt(count));
      await ours.write(0, bytes);
      await theirs.write("two", 0, bytes);
      if (signal.aborted) return count;
    }
  }

  async function counterAt(id: string, snapshot: number): Promise<[string, number]> {
    await using image = await images.openById(id, { snapshot });
    return [image.name, Number((await image.read(0, 8)).readBigUInt64LE())];
  }
});

test("while a client cannot quiesce, no snapshot is taken and nothing of it remains, unless that is allowed", async () => {
  const group = await groupOf("quiet", "q1", "q2");
  const asked: string[] = [];
  await using _client = await answering("q2", (type) => {
    asked.push(type);
    return type === "quiesce" ? -5 : 0;
  });
  await assert.rejects(group.snapshots.create("s"), { code: "SIPHON_RBD_BUSY", errno: -5 });
  assert.deepEqual([await group.snapshots.list(), await snapshotsOf(images, "q1")], [[], []]);
  assert.deepEqual(
    asked.filter((type) => /quiesce/.test(type)),
    ["quiesce", "unquiesce"],
  );
  await assert.rejects(rbd("group", "snap", "create", `${pool}/quiet@s`));
  await group.snapshots.create("s", { quiescing: "attempted" });
  asked.length = 0;
  await group.snapshots.create("t", { quiescing: "skipped" });
  assert.ok(!asked.includes("quiesce"));
  await images.groups.remove("quiet");
});

test("remains of a client that died while it took a snapshot are listed and removed, by rbd and by us", async () => {
  const byRbd = await groupOf("left1", "l1", "l2");
  const byUs = await groupOf("left2");
  // Images without a lock, which others would have to wait for.
  for (const name of ["l3", "l4"]) {
    await images.create(name, mib, { features: imageFeature.layering });
    await byUs.add(name);
  }
  // The client dies before any image has its part of the snapshot, when one has it, and when both have it.
  await dyingAt("l2", "quiesce", "left1");
  await dyingAt("l3", "headerUpdate", "left2");
  assert.match(await rbd("group", "snap", "ls", `${pool}/left1`), /s +incomplete/);
  assert.match(await rbd("group", "snap", "ls", `${pool}/left2`), /s +incomplete/);
  assert.notDeepEqual(await snapshotsOf(images, "l3"), []);
  await assert.rejects(byUs.snapshots.rollBack("s"), { code: "SIPHON_RBD_INVALID" });
  await assert.rejects(byUs.snapshots.create("s"), { code: "SIPHON_RBD_EXISTS" });
  await assert.rejects(byUs.snapshots.rename("s", "t"), { code: "SIPHON_RBD_INVALID", errno: -17 });
  await rbd("group", "snap", "rm", `${pool}/left1@s`);
  await byUs.snapshots.remove("s");
  assert.deepEqual([await byRbd.snapshots.list(), await byUs.snapshots.list()], [[], []]);
  await byRbd.snapshots.create("s");
  await rbd("group", "snap", "create", `${pool}/left2@s`);
  await rbd("group", "rm", `${pool}/left1`);
  await images.groups.remove("left2");
  for (const name of ["l1", "l2", "l3", "l4"]) {
    assert.deepEqual(await snapshotsOf(images, name), []);
    await images.remove(name);
  }
});

test("an image is in at most one group of its namespace; the group prevents its removal, but not its move to the trash", async () => {
  const group = await groupOf("first", "kept");
  const second = await images.groups.create("second");
  await assert.rejects(second.add("kept"), { code: "SIPHON_RBD_EXISTS", errno: -17 });
  await assert.rejects(second.remove("kept"), { code: "SIPHON_RBD_INVALID", errno: -9 });
  assert.deepEqual(await second.images(), []);
  await assert.rejects(images.remove("kept"), { code: "SIPHON_RBD_BUSY", errno: -31 });
  await images.namespaces.create("inner");
  const inner = await ImagePool.open(images.cluster, pool, { namespace: "inner" });
  await inner.create("kept", mib);
  await assert.rejects(group.add("kept", inner), { code: "SIPHON_RBD_INVALID" });
  const innermost = await inner.groups.create("first");
  await innermost.add("kept");
  await rbd("group", "snap", "create", `${pool}/inner/first@s`);
  await innermost.snapshots.rollBack("s");
  await rbd("group", "rm", `${pool}/inner/first`);

  const id = await images.trash.move("kept");
  const [trashed] = await group.images();
  assert.deepEqual([trashed?.name, trashed?.trash], ["kept", true]);
  await assert.rejects(images.trash.remove(id), { code: "SIPHON_RBD_BUSY", errno: -31 });
  await group.removeById(id);
  await images.trash.remove(id);
});

test("a stale entry that rbd left for an image of another group does not prevent the removal of the group", async () => {
  const group = await groupOf("home", "guest");
  await images.groups.create("wrong");
  await assert.rejects(rbd("group", "image", "rm", `${pool}/wrong`, `${pool}/guest`));
  assert.equal(await rbd("group", "image", "ls", `${pool}/wrong`), `${pool}/guest incomplete\n`);
  await assert.rejects(rbd("group", "rm", `${pool}/wrong`));
  await images.groups.remove("wrong");
  assert.deepEqual(
    (await group.images()).map(({ name, state }) => `${name} ${state}`),
    ["guest attached"],
  );
  await rbd("group", "image", "rm", `${pool}/home`, `${pool}/guest`);
  await images.remove("guest");
});

async function connect(): Promise<ImagePool> {
  const cluster = await Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {} });
  ending.defer(() => cluster.close());
  return ImagePool.open(cluster, pool);
}

async function rbd(...args: string[]): Promise<string> {
  const { stdout } = await run("rbd", [...args, "--conf", ceph.conf, "--name", "client.admin"], {
    timeout: 120_000,
  });
  return stdout;
}

/** Makes a group of new images. */
async function groupOf(name: string, ...members: string[]): Promise<Group> {
  const group = await images.groups.create(name);
  for (const member of members) {
    await images.create(member, 2 * mib);
    await group.add(member);
  }
  return group;
}

/** The kinds of all snapshots of an image. */
async function snapshotsOf(from: ImagePool, name: string): Promise<string[]> {
  await using image = await from.open(name, { readOnly: true, watch: false });
  return image.snapshots.all().map(({ namespace }) => namespace.type);
}

/** A client that watches an image and answers each notification with an errno. */
async function answering(name: string, answer: (type: string) => number | Promise<number>) {
  const id = (await images.list()).find((image) => image.name === name)!.id;
  const watch = await images.pool.watch(headerObject(id), {
    notified: async (payload) => encodeResponse(await answer(decodeNotifyMessage(payload).type)),
    lost: () => {},
  });
  return { [Symbol.asyncDispose]: () => watch.close() };
}

/** Takes a snapshot `s` of a group with a client that loses its connections for good when it sends this notification to the image. */
async function dyingAt(imageName: string, type: string, groupName: string): Promise<void> {
  const doomed = await connect();
  const dead = Promise.withResolvers<void>();
  await using _client = await answering(imageName, (heard) => {
    if (heard === type) {
      doomed.cluster.close();
      dead.resolve();
    }
    return 0;
  });
  const group = await doomed.groups.open(groupName);
  await Promise.all([assert.rejects(group.snapshots.create("s")), dead.promise]);
}

async function assertCleanMaps(...names: string[]): Promise<void> {
  for (const name of names) {
    const image = `${name === "b" ? otherPool : pool}/${name}`;
    assert.deepEqual(await objectMapErrors(ceph.conf, "client.admin", image), []);
  }
}
