import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { LocalCluster } from "@siphon/lab";
import { Cluster } from "@siphon/rados";
import { type Image, ImagePool, imageFeature } from "@siphon/rbd";
import { objectMapErrors } from "../../support/rbd/differential/object-map-check.ts";

/** The cached state of a parent does not outlive it: every parent here is removed while a clone of it is open. */

const run = promisify(execFile);
const pool = "libvirt-pool";
const objectSize = 65_536;
const size = 8 * objectSize;
const withMap = 61;
const withoutMap = imageFeature.layering | imageFeature.exclusiveLock | imageFeature.deepFlatten;

let ceph: LocalCluster;
/** One client opens the clones, the other removes their parents. */
let images: ImagePool;
let others: ImagePool;
const ending = new AsyncDisposableStack();

before(async () => {
  ceph = await LocalCluster.up({ name: "rbd-parents", osds: 1, replicas: 1, store: "memstore", pgs: 8 });
  ending.defer(() => ceph.down());
  images = await connect();
  others = await connect();
});

after(() => ending.disposeAsync());

for (const [kind, features] of [
  ["with object maps", withMap],
  ["without object maps", withoutMap],
] as const) {
  test(`when rbd flattens a clone and removes its parent, the clone's clone still reads and copies up (${kind})`, async () => {
    const chain = await makeChain(`${features}`, features);
    await using leaf = await images.open(chain.leaf);
    // The open image knows its parents, and holds the lock.
    await leaf.write(7 * objectSize, Buffer.from("leaf"));
    assert.deepEqual(await blockAt(leaf, 0), "top 0");
    await rbd("flatten", `${pool}/${chain.middle}`, "--no-progress");
    await removeAll(chain.top, "s");
    for (const object of [1, 2]) assert.equal(await blockAt(leaf, object), `top ${object}`);
    assert.equal(await blockAt(leaf, 4), "middle 4");
    assert.equal(await blockAt(leaf, 5), "");
    await leaf.write(3 * objectSize + 1024, Buffer.alloc(512, "x"));
    assert.equal(await blockAt(leaf, 3), "top 3");
    await leaf.close();
    await using again = await others.open(chain.leaf, { readOnly: true });
    assert.equal(await blockAt(again, 3), "top 3");
    assert.equal(await blockAt(again, 7), "leaf");
    assert.deepEqual(await objectMapErrors(ceph.conf, "client.admin", `${pool}/${chain.leaf}`), []);
  });

  test(`a snapshot of a clone, watched or not, remains readable when the clone is flattened (${kind})`, async () => {
    const chain = await makeChain(`snap-${features}`, features);
    await using watched = await images.open(chain.middle, { snapshot: "s" });
    await using unwatched = await images.open(chain.middle, { snapshot: "s", watch: false });
    await others.open(chain.leaf).then((leaf) => leaf.close());
    await rbd("flatten", `${pool}/${chain.middle}`, "--no-progress");
    await removeAll(chain.top, "s");
    for (const image of [watched, unwatched]) {
      for (const object of [0, 1, 2]) assert.equal(await blockAt(image, object), `top ${object}`);
      assert.equal(await blockAt(image, 5), "");
    }
  });
}

test("a snapshot that is removed while it is read returns an error, not zeros", async () => {
  await images.create("gone", size, { objectSize, features: withoutMap });
  {
    await using image = await images.open("gone");
    await image.write(0, Buffer.from("gone 0"));
    await image.snapshots.create("s");
  }
  await using snapshot = await images.open("gone", { snapshot: "s", watch: false });
  await removeAll("gone", "s");
  await assert.rejects(snapshot.read(0, 16), { code: "SIPHON_RBD_NO_SNAPSHOT" });
});

/** `top@s` has objects 0 to 3; its clone `middle@s` has added object 4; `leaf` is a clone of `middle@s`. */
async function makeChain(name: string, features: number) {
  const [top, middle, leaf] = ["top", "middle", "leaf"].map((each) => `${each}-${name}`) as [
    string,
    string,
    string,
  ];
  const shape = { objectSize, features };
  await images.create(top, size, shape);
  {
    await using image = await images.open(top);
    for (const object of [0, 1, 2, 3]) await image.write(object * objectSize, Buffer.from(`top ${object}`));
    await image.snapshots.create("s");
  }
  await images.clone(top, "s", middle, images, { version: 2, ...shape });
  {
    await using image = await images.open(middle);
    await image.write(4 * objectSize, Buffer.from("middle 4"));
    await image.snapshots.create("s");
  }
  await images.clone(middle, "s", leaf, images, { version: 2, ...shape });
  return { top, middle, leaf };
}

async function blockAt(image: Image, object: number): Promise<string> {
  const bytes = await image.read(object * objectSize, 16);
  return bytes.toString("latin1").replace(/\0+$/, "");
}

async function removeAll(name: string, snapshot: string): Promise<void> {
  await using image = await others.open(name);
  await image.snapshots.remove(snapshot);
  await image.close();
  await others.remove(name);
}

async function rbd(...args: string[]): Promise<string> {
  const { stdout } = await run("rbd", ["--conf", ceph.conf, "--name", "client.admin", ...args]);
  return stdout;
}

async function connect(): Promise<ImagePool> {
  const cluster = await Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {} });
  ending.defer(() => cluster.close());
  return ImagePool.open(cluster, pool);
}
