import { setOpFeatures } from "../cls/image.ts";
import { detachChild, detachParent, type ParentSpec, removeOldChild } from "../cls/parent.ts";
import { changeAll } from "../cls/run.ts";
import { restoredMagics } from "../encryption/clone-magic.ts";
import type { ReadHeader } from "../encryption/luks-volume.ts";
import { assertOneKey } from "../encryption/one-key.ts";
import { RbdError, unless } from "../errors.ts";
import { opFeature } from "../header/image-header.ts";
import { has } from "../image/features.ts";
import { poolById } from "../image/pools.ts";
import type { ImageIo } from "../io/image-io.ts";
import { readBytes, writeBytes } from "../io/image-operations.ts";
import { childrenObject, headerObject } from "../object-names.ts";
import type { OnProgress } from "../progress.ts";
import { tellHeaderUpdate } from "../watch/tell-header-update.ts";
import { removeIfForsaken } from "./forsaken-snapshots.ts";
import type { MaintainedImage } from "./maintained-image.ts";
import { atOnce, eachObject } from "./objects.ts";

type Parents = Pick<MaintainedImage["header"], "parent" | "parentSpec">;

/** @throws RbdError SIPHON_RBD_INVALID */
export function assertHasParent<T extends Parents & { name: string }>(
  header: T,
): asserts header is T & { [Key in keyof Parents]-?: NonNullable<Parents[Key]> } {
  if (header.parent !== undefined && header.parentSpec !== undefined) return;
  throw new RbdError("SIPHON_RBD_INVALID", `image ${header.name} has no parent to flatten`);
}

/**
 * Copies all of the parent's data to a clone, and detaches it from the parent (src/librbd/operation/FlattenRequest.cc).
 *
 * A snapshot that the parent keeps only for its clones is removed last. librbd removes it before it changes the clone's
 * header; a crash in between then leaves a clone that cannot be opened, because its parent snapshot is gone.
 */
export async function flatten(image: MaintainedImage, progress?: OnProgress): Promise<void> {
  const { io, header } = image;
  assertHasParent(header);
  const { parent, parentSpec } = header;
  await assertOneKey(io);
  const objects = io.layout.objectCount(Math.min(parent.overlap, header.size));
  await eachObject(0, objects, (objectNumber) => io.copyUp(objectNumber), {
    progress,
    atOnce: atOnce(image),
  });
  if (io.parentView !== undefined) await restoreHeader(io);
  // The class method removes the clone's mark together with the parent.
  const isMarked = isOfVersion2(image);
  // Snapshots that were not flattened still need the parent.
  const leaves = has(header, "deepFlatten") || header.snapContext.snaps.length === 0;
  await image.whilePaused(async () => {
    if (leaves) await leaveChildren(image, parentSpec);
    await image.changeHeader(detachParent).catch(unless("ENOENT"));
  });
  await image.tell({ type: "headerUpdate" });
  if (leaves && isMarked) await forgetParent(image, parentSpec);
}

/** Turns the header of an encrypted clone into a plain LUKS header: all of its data has its key now. */
async function restoreHeader(io: ImageIo): Promise<void> {
  const read: ReadHeader = (offset, length) => readBytes(io, offset, length);
  for (const { at, magic } of await restoredMagics(read)) await writeBytes(io, at, magic);
}

/**
 * Removes a clone from its parent's list of children (src/librbd/image/DetachChildRequest.cc). Can be repeated after an
 * interruption.
 */
export async function detachFromParent(image: MaintainedImage, parent: ParentSpec): Promise<void> {
  await leaveChildren(image, parent);
  if (isOfVersion2(image)) await forgetParent(image, parent);
}

async function leaveChildren(image: MaintainedImage, parent: ParentSpec): Promise<void> {
  const { cluster, pool, header } = image;
  const child = { poolId: pool.id, namespace: pool.namespace, imageId: header.id };
  if (!isOfVersion2(image)) {
    await changeAll(pool, childrenObject, [removeOldChild(parent, header.id)]).catch(unless("ENOENT"));
    return;
  }
  const parentPool = await poolById(cluster, parent.poolId, parent.namespace);
  const detached = [detachChild(parent.snapId, child)];
  await changeAll(parentPool, headerObject(parent.imageId), detached).catch(unless("ENOENT"));
  await tellHeaderUpdate(parentPool, parent.imageId);
}

/** The clone's mark is removed last: while it exists, an interrupted detach is repeated. */
async function forgetParent(image: MaintainedImage, parent: ParentSpec): Promise<void> {
  await removeTrashedSnapshot(image, parent).catch(unless("ENOENT"));
  await image.changeHeader(setOpFeatures(0, opFeature.cloneChild));
}

function isOfVersion2({ header }: MaintainedImage): boolean {
  return (header.opFeatures & opFeature.cloneChild) !== 0;
}

async function removeTrashedSnapshot(
  image: MaintainedImage,
  { poolId, namespace, imageId, snapId }: ParentSpec,
): Promise<void> {
  const parent = await image.openOther(await poolById(image.cluster, poolId, namespace), imageId);
  try {
    await removeIfForsaken(parent, snapId);
  } finally {
    await parent.close();
  }
}
