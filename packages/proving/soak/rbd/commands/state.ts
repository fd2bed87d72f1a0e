import { type Cluster, type Pool, RadosError } from "@siphon/rados";
import { ImagePool, imageFeature, Overrides } from "@siphon/rbd";

/**
 * Makes what command lines work on, in an empty pool: images of every kind, with snapshots, locked, in a group, in the
 * trash, in a namespace.
 */
export async function makeState(cluster: Cluster, poolName: string): Promise<void> {
  const images = await ImagePool.open(cluster, poolName);
  await plainImage(images);
  await images.create("old", 4 << 20, { features: imageFeature.layering });
  await snapshot(images, "old", "s");
  await images.clone("plain", "s1", "clone", images, { version: 1 });
  await images.clone("plain", "s2", "clone2", images, { version: 2 });
  for (const name of ["locked", "member", "trashed"]) await images.create(name, 4 << 20);
  {
    await using locked = await images.open("locked", { readOnly: true });
    await locked.locks.add("mine");
  }
  const group = await images.groups.create("g");
  await group.add("member");
  await group.snapshots.create("gs");
  await images.groups.create("empty");
  await images.trash.move("trashed");
  for (const name of ["ns", "bare"]) await images.namespaces.create(name);
  await (await ImagePool.open(cluster, poolName, { namespace: "ns" })).create("inner", 4 << 20);
}

async function plainImage(images: ImagePool): Promise<void> {
  await images.create("plain", 8 << 20);
  await using plain = await images.open("plain");
  await plain.write(0, Buffer.alloc(1 << 20, 7));
  await plain.snapshots.create("s1");
  await plain.snapshots.protect("s1");
  await plain.write(5 << 20, Buffer.alloc(64 << 10, 9));
  await plain.snapshots.create("s2");
  await plain.metadata.set(new Map([["k", "v"]]));
  await new Overrides(images, plain).set("rbd_cache", "false");
}

async function snapshot(images: ImagePool, name: string, snapshotName: string): Promise<void> {
  await using image = await images.open(name);
  await image.snapshots.create(snapshotName);
}

/** Removes all objects of the pool, whatever state they are in. */
export async function empty(pool: Pool): Promise<void> {
  const removals: Promise<void>[] = [];
  for await (const { name, namespace } of pool.listObjects({ allNamespaces: true })) {
    const removal = pool
      .with({ namespace })
      .remove(name)
      .catch((error) => {
        // The object itself is gone, only its snapshots are left.
        if (!(error instanceof RadosError) || error.code !== "ENOENT") throw error;
      });
    removals.push(removal);
  }
  await Promise.all(removals);
}
