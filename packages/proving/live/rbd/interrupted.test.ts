import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LocalCluster } from "@siphon/lab";
import { Cluster } from "@siphon/rados";
import { detachChild, type ParentSpec } from "../../../rbd/src/cls/parent.ts";
import { changeAll } from "../../../rbd/src/cls/run.ts";
import { OpenImage } from "../../../rbd/src/image/open-image.ts";
import { ImagePool } from "../../../rbd/src/image-pool.ts";
import { detachFromParent } from "../../../rbd/src/maintenance/flatten.ts";
import { headerObject } from "../../../rbd/src/object-names.ts";
import { forgetful, runCampaign } from "../../soak/rbd/interrupted/campaign.ts";
import { type OperationName, operations } from "../../soak/rbd/interrupted/operations.ts";

let ceph: LocalCluster;
let cluster: Cluster;
let images: ImagePool;

before(async () => {
  const small = { osds: 1, replicas: 1, store: "memstore", pgs: 8 } as const;
  ceph = await LocalCluster.up({ name: `rbd-interrupted-${process.pid}`, ...small, settings: forgetful });
  cluster = await Cluster.connect({ conf: ceph.conf, name: "client.admin", env: {} });
  images = await ImagePool.open(cluster, ceph.spec.pool);
});

after(async () => {
  cluster?.close();
  await ceph?.down();
});

test("rbd and siphon list what a killed rm, flatten, copy, import-diff or purge leaves, and finish or remove it", async () => {
  const only = Object.keys(operations) as OperationName[];
  const kills = await runCampaign({ conf: ceph.conf, only, kills: 2, seed: 3, measured: 1, lanes: 4 });
  assert.equal(kills.length, 2 * only.length);
  for (const { operation, phase, failure } of kills)
    assert.equal(failure, undefined, `${operation}: ${phase}`);
});

test("a clone whose removal was interrupted after it left its parent can be removed, even without the parent", async () => {
  await cloneOfRemovedSnapshot();
  const { id } = (await images.list()).find(({ name }) => name === "clone")!;
  const clone = await OpenImage.open(cluster, images.pool, id, "clone", {});
  await clone.ensureOwner();
  await detachFromParent(clone, clone.header.parentSpec!);
  await clone.close();
  // The removal no longer needs anything of the parent.
  await images.remove("parent");
  await images.trash.move("clone");
  await images.trash.remove(id);
  assert.deepEqual(await images.list(), []);
});

test("a snapshot kept for clones that no longer exist is removed with its image", async () => {
  const { imageId, snapId } = await cloneOfRemovedSnapshot();
  await using clone = await images.open("clone", { readOnly: true, watch: false });
  const child = { poolId: images.pool.id, namespace: "", imageId: clone.id };
  await changeAll(images.pool, headerObject(imageId), [detachChild(snapId, child)]);
  await images.remove("parent");
  await images.remove("clone");
  assert.deepEqual(await images.list(), []);
});

/** Makes image `clone` from a snapshot of `parent` that is kept only for this clone. */
async function cloneOfRemovedSnapshot(): Promise<ParentSpec> {
  await images.create("parent", 2 ** 20);
  await using parent = await images.open("parent");
  await parent.write(0, Buffer.from("of the parent"));
  await parent.snapshots.create("s");
  await images.clone("parent", "s", "clone", images, { version: 2 });
  await parent.refresh();
  await parent.snapshots.remove("s");
  await using clone = await images.open("clone");
  await clone.write(4096, Buffer.from("of the clone"));
  return clone.header.parentSpec!;
}
