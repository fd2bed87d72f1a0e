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
 * Gives a clone all of its parent's data, and lets the parent go (src/librbd/operation/FlattenRequest.cc).
 *
 * A snapshot that the parent keeps only for its clones is removed last. librbd removes it before it changes the clone's header: a crash in
 * between leaves a clone whose parent snapshot is gone, and which cannot be opened.
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
  // The class takes the mark of a clone away together with the parent.
  const isMarked = isOfVersion2(image);
  // Snapshots that were not flattened along go on showing the parent.
  const leaves = has(header, "deepFlatten") || header.snapContext.snaps.length === 0;
  await image.whilePaused(async () => {
    if (leaves) await leaveChildren(image, parentSpec);
    await image.changeHeader(detachParent).catch(unless("ENOENT"));
  });
  await image.tell({ type: "headerUpdate" });
  if (leaves && isMarked) await forgetParent(image, parentSpec);
}

/** The header of an encrypted clone becomes one that every program opens: all of its data has its key now. */
async function restoreHeader(io: ImageIo): Promise<void> {
  const read: ReadHeader = (offset, length) => readBytes(io, offset, length);
  for (const { at, magic } of await restoredMagics(read)) await writeBytes(io, at, magic);
}

/** Takes a clone off its parent's list of children (src/librbd/image/DetachChildRequest.cc); again, if it was interrupted. */
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

/** The mark of a clone goes last: while it is there, all of this is done again. */
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
