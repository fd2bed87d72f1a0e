import { setOpFeatures } from "../cls/image.ts";
import { detachChild, detachParent, type ParentSpec, removeOldChild } from "../cls/parent.ts";
import { changeAll } from "../cls/run.ts";
import { RbdError, unless } from "../errors.ts";
import { opFeature } from "../header/image-header.ts";
import { has } from "../image/features.ts";
import type { OpenImage } from "../image/open-image.ts";
import { poolById } from "../image/pools.ts";
import type { OnProgress } from "../image/requests.ts";
import { childrenObject, headerObject } from "../object-names.ts";
import { tellHeaderUpdate } from "../watch/tell-header-update.ts";
import { eachObject } from "./objects.ts";

/** Gives a clone all of its parent's data, and lets the parent go (src/librbd/operation/FlattenRequest.cc). */
export async function flatten(image: OpenImage, progress?: OnProgress): Promise<void> {
  const { io, header } = image;
  const { parent, parentSpec } = header;
  if (parent === undefined || parentSpec === undefined) {
    throw new RbdError("SIPHON_RBD_INVALID", `image ${header.name} has no parent to be flattened into it`);
  }
  const objects = io.layout.objectCount(Math.min(parent.overlap, header.size));
  await eachObject(0, objects, (objectNumber) => io.copyUp(objectNumber), progress);
  await io.pauseWrites();
  try {
    // Snapshots that were not flattened along go on showing the parent.
    const leaves = has(header, "deepFlatten") || header.snapContext.snaps.length === 0;
    if (leaves) await detachFromParent(image, parentSpec);
    await image.changeHeader(detachParent).catch(unless("ENOENT"));
    await image.refresh();
  } finally {
    io.resumeWrites();
  }
  await image.announce();
}

/** Takes a clone off its parent's list of children (src/librbd/image/DetachChildRequest.cc). */
export async function detachFromParent(image: OpenImage, parent: ParentSpec): Promise<void> {
  const { cluster, pool, header } = image;
  const child = { poolId: pool.id, namespace: pool.namespace, imageId: header.id };
  if ((header.opFeatures & opFeature.cloneChild) === 0) {
    await changeAll(pool, childrenObject, [removeOldChild(parent, header.id)]).catch(unless("ENOENT"));
    return;
  }
  const parentPool = await poolById(cluster, parent.poolId, parent.namespace);
  const parentHeader = headerObject(parent.imageId);
  await changeAll(parentPool, parentHeader, [detachChild(parent.snapId, child)]).catch(unless("ENOENT"));
  await tellHeaderUpdate(parentPool, parent.imageId);
  await image.changeHeader(setOpFeatures(0, opFeature.cloneChild));
  await removeTrashedSnapshot(image, parent);
}

/** A parent's snapshot that was removed while it had clones is gone for good with the last of them. */
async function removeTrashedSnapshot(
  image: OpenImage,
  { poolId, namespace, imageId, snapId }: ParentSpec,
): Promise<void> {
  const parent = await image.openOther(await poolById(image.cluster, poolId, namespace), imageId);
  try {
    const snapshot = parent.header.snapshots.get(snapId);
    if (snapshot?.namespace.type !== "trash" || snapshot.childCount > 0) return;
    const id = await parent.requests.newId();
    await parent.requests.perform({
      type: "snapRemove",
      id,
      name: snapshot.name,
      namespace: snapshot.namespace,
    });
  } finally {
    await parent.close();
  }
}
