import { type Cluster, NO_SNAP, type Pool } from "@siphon/rados";
import { describe } from "../describe.ts";
import { assertProtected, attachClone } from "../directory/clone-image.ts";
import { isThere, nameOf } from "../directory/find-image.ts";
import { opFeature } from "../header/image-header.ts";
import { readHeader } from "../header/read-header.ts";
import { toRead } from "../image/open-options.ts";
import { poolById } from "../image/pools.ts";
import type { Image } from "../image.ts";
import type { ParentLink } from "../image-state.ts";
import type { Images } from "../images.ts";
import { dataObject } from "../object-names.ts";
import { orUndo } from "../or-undo.ts";
import { Layout } from "../striping/layout.ts";
import type { ImageReader, ImageWriter } from "../transfer/image-ends.ts";
import { imageTarget } from "../transfer/image-target.ts";
import { Parallel } from "../transfer/in-order.ts";
import { SpareBuffers } from "../transfer/spare-buffers.ts";
import { removeWhole } from "../transfer/whole-image.ts";
import { copyChanges, copyRange } from "./copy-data.ts";
import { type CopyOptions, shapeOf } from "./copy-image.ts";
import { ObjectCopier } from "./object-copier.ts";

export interface DeepCopyOptions extends CopyOptions {
  /** Copies this snapshot, and the snapshots up to it. */
  readonly snapshot?: string | undefined;
  /** The copy of a clone gets the parent's data instead of a parent. */
  readonly flatten?: boolean;
  /** Version of the copy of a clone, as in `CloneOptions`. Default: the clone's. */
  readonly version?: 1 | 2 | undefined;
}

/**
 * Copies an image with its snapshots and, for a clone, its parent (`rbd deep copy`). Each snapshot's changes are copied
 * onto the previous one. If anything fails, the copy is removed.
 */
export async function deepCopyImage(
  from: Images,
  name: string,
  to: Images,
  newName: string,
  {
    snapshot: end,
    flatten = false,
    version: wantedVersion,
    signal,
    limits,
    onProgress,
    ...wanted
  }: DeepCopyOptions = {},
): Promise<void> {
  await using head = await from.open(name, toRead());
  const states = statesUpTo(end, head);
  // A clone may have been flattened since its first snapshot, but its parent never changes.
  const first = head.snapshots.list()[0] ?? head.header;
  const parent = flatten ? undefined : first.parent;
  if (parent === undefined) await head.assertOneKey();
  const id = await to.create(newName, first.size, { ...shapeOf(from, head), ...wanted });
  const complete = async () => {
    if (parent !== undefined) {
      const parents = await poolById(from.cluster, parent.poolId, parent.namespace);
      const own = (head.header.opFeatures & opFeature.cloneChild) === 0 ? 1 : 2;
      const version = wantedVersion ?? own;
      if (version < own) await assertParentProtected(parents, parent, to.pool);
      await attachClone(to.pool, id, parents, parent, parent.overlap, version);
    }
    await using target = await to.openById(id);
    await target.metadata.set(await head.metadata.list());
    let last: string | undefined;
    const touched = new Set<number>();
    for (const [done, snapshot] of states.entries()) {
      signal?.throwIfAborted();
      await using source = await from.open(name, toRead(snapshot));
      const part = {
        ...{ signal, limits },
        onProgress: (bytes: number, total: number) =>
          onProgress?.(done * total + bytes, states.length * total),
      };
      if (parent === undefined) {
        await toSize(target, source.size);
        const isNew = done === 0;
        const copier = isNew ? await ObjectCopier.between(from, source, to, target) : undefined;
        await copyChanges(source.diff({ from: last }), imageTarget(target), { ...part, isNew, copier });
      } else {
        await followParent(target, linkOf(source), source.size);
        await copyObjects(to.cluster, source, target, touched, part);
      }
      if (snapshot !== undefined) {
        await target.snapshots.create(snapshot);
        if (source.snapshots.named(snapshot).isProtected) await target.snapshots.protect(snapshot);
      }
      last = snapshot;
    }
  };
  await orUndo(complete, () => removeWhole(to, id));
}

async function assertParentProtected(pool: Pool, { imageId, snapId }: ParentLink, to: Pool): Promise<void> {
  const { name, snapshots } = await readHeader(pool, imageId, (await nameOf(pool, imageId)) ?? imageId);
  const snapshot = snapshots.get(snapId);
  if (snapshot !== undefined) assertProtected(`${describe(pool, name)}@${snapshot.name}`, snapshot, pool, to);
}

/** Names of the snapshots to copy, in order; undefined for the current image. */
function statesUpTo(end: string | undefined, { snapshots }: Image): (string | undefined)[] {
  const last = end === undefined ? Number.POSITIVE_INFINITY : snapshots.named(end).id;
  const names = snapshots.list().flatMap(({ id, name }) => (id <= last ? [name] : []));
  return end === undefined ? [...names, undefined] : names;
}

function linkOf({ header, snapId }: Image): ParentLink | undefined {
  return snapId === undefined ? header.parent : header.snapshots.get(snapId)?.parent;
}

/** Gives the copy the overlap with its parent that the source has in this state, and its size. */
async function followParent(target: Image, link: ParentLink | undefined, size: number): Promise<void> {
  if (link === undefined && target.header.parent !== undefined) await target.flatten();
  const overlap = target.header.parent?.overlap ?? 0;
  if (link !== undefined && link.overlap < overlap) await toSize(target, link.overlap);
  await toSize(target, size);
}

async function toSize(target: Image, size: number): Promise<void> {
  if (target.size !== size) await target.resize(size, { allowShrink: true });
}

/**
 * Copies the clone's own objects as a whole, and rechecks those of the previous snapshot: everywhere else both images
 * show the parent.
 */
async function copyObjects(
  cluster: Cluster,
  source: Image,
  target: Image,
  touched: Set<number>,
  { limits, onProgress, signal }: CopyOptions,
): Promise<void> {
  const { header, size } = source;
  const layout = new Layout(header);
  const data = await poolById(cluster, header.dataPoolId, header.namespace);
  const [reader, writer] = [source.diff(), imageTarget(target)];
  const objects = layout.objectCount(size);
  const buffers = new SpareBuffers();
  await using copies = new Parallel(limits);
  for (let objectNumber = 0; objectNumber < objects; objectNumber++) {
    signal?.throwIfAborted();
    await copies.start(header.objectSize, async () => {
      const object = dataObject(header.objectPrefix, objectNumber);
      const own = await isThere(data, object, { snapId: source.snapId ?? NO_SNAP });
      if (!own && !touched.has(objectNumber)) return;
      touched.add(objectNumber);
      await copyObject(reader, writer, layout, objectNumber, buffers);
    });
    onProgress?.(Math.min(size, (objectNumber + 1) * header.objectSize), size);
  }
  await copies.finish();
  await target.flush();
}

async function copyObject(
  source: ImageReader,
  target: ImageWriter,
  layout: Layout,
  objectNumber: number,
  buffers: SpareBuffers,
): Promise<void> {
  const end = layout.bytesOf(objectNumber, source.size);
  for (let at = 0; at < end; ) {
    const run = Math.min(layout.run(at), end - at);
    await copyRange(source, target, layout.imageOffset(objectNumber, at), run, { buffers });
    at += run;
  }
}
