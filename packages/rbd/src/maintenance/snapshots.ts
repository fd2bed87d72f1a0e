import { WriteOperation } from "@siphon/rados";
import {
  addSnapshot,
  removeSnapshot as dropSnapshot,
  renameSnapshot as giveName,
  protection,
  type SnapshotNamespace,
  setProtection,
  trashSnapshot,
} from "../cls/snapshot.ts";
import { describe } from "../describe.ts";
import { childrenOf } from "../directory/children.ts";
import type { RbdRemedy } from "../errors.ts";
import { hasCode, RbdError, unless } from "../errors.ts";
import { type HeaderSnapshot, imageFlag, snapshotOf, userSnapshot } from "../header/image-header.ts";
import { has } from "../image/features.ts";
import { sameParent } from "../image/parents.ts";
import { poolById } from "../image/pools.ts";
import { objectState } from "../object-map/object-state.ts";
import { ObjectStates } from "../object-map/object-states.ts";
import { dataObject } from "../object-names.ts";
import type { OnProgress } from "../progress.ts";
import { detachFromParent } from "./flatten.ts";
import type { MaintainedImage } from "./maintained-image.ts";
import { atOnce, changeIfThere, eachObject } from "./objects.ts";
import { listOldChildrenOf } from "./old-children.ts";
import { type Quiescing, whileQuiesced } from "./quiesce.ts";
import { resize } from "./resize.ts";

export interface NewSnapshot {
  readonly name: string;
  readonly namespace: SnapshotNamespace;
  readonly quiescing: Quiescing;
}

/**
 * Takes a snapshot (src/librbd/operation/SnapshotCreateRequest.cc): it holds exactly the writes acknowledged before;
 * new writes wait meanwhile.
 */
export async function createSnapshot(
  image: MaintainedImage,
  snapshot: NewSnapshot,
  progress?: OnProgress,
): Promise<void> {
  const { name, namespace, quiescing } = snapshot;
  const { io, header } = image;
  if (snapshotOf(header, name, namespace.type) !== undefined) throw exists(image, name);
  const data = await poolById(image.cluster, header.dataPoolId, header.namespace);
  await whileQuiesced([image], quiescing, async () => {
    progress?.(10, 100);
    await image.whilePaused(async () => {
      const snapId = await addWithNewId(image, data.snapshots, snapshot);
      if (io.objectMap === undefined) return;
      const before = io.objectMap.states;
      try {
        const states = await image.maps.addSnapshot(snapId, before, has(header, "fastDiff"));
        io.objectMap.replace(states);
      } catch (error) {
        await takeBack(image, snapId, before, data.snapshots);
        throw error;
      }
    });
  });
  await image.tell({ type: "headerUpdate" });
  progress?.(100, 100);
}

/**
 * Undoes a snapshot whose object map could not be created; if that fails, the snapshot stays, complete but without a
 * map.
 */
async function takeBack(
  image: MaintainedImage,
  snapId: number,
  before: ObjectStates,
  ids: SnapshotIds,
): Promise<void> {
  try {
    // The image's map may mark objects as unchanged since this snapshot, which is wrong for the previous one.
    await image.maps.replace(before);
    await image.changeHeader(dropSnapshot(snapId)).catch(unless("ENOENT"));
    await image.maps.remove(snapId);
    await ids.removeSelfManaged(snapId);
  } catch {}
}

/** Removes a snapshot, or moves it to the trash while it has clones (SnapshotRemoveRequest.cc). */
export async function removeSnapshot(
  image: MaintainedImage,
  name: string,
  namespace: SnapshotNamespace = { type: "user" },
): Promise<void> {
  const snapshot = named(image, name, namespace);
  const { header, maps, io, pool } = image;
  if (snapshot.protection !== protection.unprotected) {
    throw busy(`snapshot ${name} of image ${header.name} is protected`, {
      name: "unprotect-snapshot",
      subject: `${describe(pool, header.name)}@${name}`,
    });
  }
  if (snapshot.childCount > 0) {
    if (namespace.type === "trash") throw busy(`snapshot ${name} of image ${header.name} still has clones`);
    await image.changeHeader(trashSnapshot(snapshot.id));
    await image.announce();
    return;
  }
  await detachIfLast(image, snapshot);
  // A copy-up updates the maps of all snapshots in the header.
  await image.whilePaused(async () => {
    if (has(header, "objectMap")) {
      const next = header.snapContext.snaps.toReversed().find((id) => id > snapshot.id);
      const known = io.objectMap !== undefined || next !== undefined;
      await maps.removeSnapshot(snapshot.id, next, has(header, "fastDiff") && known).catch(unless("ENOENT"));
      if (next === undefined && io.objectMap !== undefined) io.objectMap.replace(await maps.load());
    }
    // It may be gone: an earlier attempt had no answer, and the header was read before.
    await image.changeHeader(dropSnapshot(snapshot.id)).catch(unless("ENOENT"));
  });
  await image.tell({ type: "headerUpdate" });
  const data = await poolById(image.cluster, header.dataPoolId, header.namespace);
  await data.snapshots.removeSelfManaged(snapshot.id).catch(unless("ENOENT"));
}

export async function renameSnapshot(image: MaintainedImage, snapId: number, name: string): Promise<void> {
  if (userSnapshot(image.header, name) !== undefined) throw exists(image, name);
  await image.changeHeader(giveName(snapId, name));
  await image.announce();
}

/**
 * Flattens all clones of a snapshot, including those in the trash (src/librbd/internal.cc, flatten_children).
 *
 * @throws RbdError SIPHON_RBD_BUSY for a clone with snapshots that would still need the parent
 */
export async function flattenChildren(
  image: MaintainedImage,
  snapId: number,
  progress?: OnProgress,
): Promise<void> {
  const { cluster, pool, header } = image;
  const children = await childrenOf(cluster, pool, header, snapId);
  for (const [done, { pool: name, namespace, name: childName, id }] of children.entries()) {
    const child = await image.openOther(await cluster.pool(name, { namespace }), id);
    try {
      if (!has(child.header, "deepFlatten") && child.header.snapContext.snaps.length > 0) {
        throw busy(`snapshots of the clone ${name}/${childName} need the snapshots of image ${header.name}`);
      }
      const request = await child.requests.newId();
      await child.requests.perform({ type: "flatten", id: request }, (part, parts) =>
        progress?.(done + part / parts, children.length),
      );
    } finally {
      await child.close();
    }
  }
  await image.refresh();
}

/** Protects a snapshot, as clones of version 1 require. */
export async function protectSnapshot(image: MaintainedImage, name: string): Promise<void> {
  const snapshot = named(image, name);
  if (!has(image.header, "layering")) {
    throw new RbdError("SIPHON_RBD_UNSUPPORTED", `image ${image.header.name} has no feature layering`);
  }
  if (snapshot.isProtected) throw busy(`snapshot ${name} of image ${image.header.name} is already protected`);
  await image.changeHeader(setProtection(snapshot.id, protection.protected));
  await image.announce();
}

/** @throws RbdError SIPHON_RBD_BUSY while there are clones of version 1, in any pool */
export async function unprotectSnapshot(image: MaintainedImage, name: string): Promise<void> {
  const { id, protection: status } = named(image, name);
  if (status === protection.unprotected) {
    throw new RbdError(
      "SIPHON_RBD_INVALID",
      `snapshot ${name} of image ${image.header.name} is not protected`,
    );
  }
  await image.changeHeader(setProtection(id, protection.unprotecting));
  await image.announce();
  const { cluster, pool, header } = image;
  const children = await listOldChildrenOf(cluster, pool.namespace, header, id).catch(async (error) => {
    await image.changeHeader(setProtection(id, protection.protected)).catch(() => {});
    await image.announce().catch(() => {});
    throw error;
  });
  const next = children.length === 0 ? protection.unprotected : protection.protected;
  await image.changeHeader(setProtection(id, next));
  await image.announce();
  if (children.length > 0) {
    const where = [...new Set(children.map(({ poolId }) => image.cluster.pools.get(poolId)))].join(", ");
    throw busy(`snapshot ${name} of image ${image.header.name} has clones, in ${where}`, {
      name: "list-children",
      subject: `${describe(image.pool, image.header.name)}@${name}`,
    });
  }
}

/**
 * Rolls an image back to a snapshot (SnapshotRollbackRequest.cc). This is not atomic: a crash leaves the image partly
 * rolled back, and the rollback can be repeated.
 */
export async function rollBack(
  image: MaintainedImage,
  { name, namespace }: Pick<HeaderSnapshot, "name" | "namespace">,
  progress?: OnProgress,
): Promise<void> {
  const { id, size } = named(image, name, namespace);
  const { io, maps } = image;
  await resize(image, size, true);
  const { header } = image;
  const data = await poolById(image.cluster, header.dataPoolId, header.namespace);
  await image.whilePaused(async () => {
    const { objectMap } = io;
    const before = objectMap?.states;
    const then = objectMap === undefined ? undefined : await mapOf(image, id);
    // The map must list objects before they come back; if these are unknown, the map is marked invalid.
    if (before !== undefined && then !== undefined) {
      const either = eitherOf(before, then);
      await maps.replace(either);
      objectMap!.replace(either);
    } else if (objectMap !== undefined) await image.invalidateMap(undefined);
    await eachObject(
      0,
      io.layout.objectCount(size),
      async (objectNumber) => {
        const absent = [before, then].every(
          (states) => states !== undefined && states.get(objectNumber) === objectState.nonexistent,
        );
        if (absent) return;
        const operation = new WriteOperation<unknown[]>();
        operation.rollback(id);
        await changeIfThere(
          data,
          dataObject(header.objectPrefix, objectNumber),
          operation,
          header.snapContext,
        );
      },
      { progress, atOnce: atOnce(image) },
    );
    if (then !== undefined) io.objectMap?.replace(await maps.rollBack(id));
  });
  await image.tell({ type: "headerUpdate" });
}

/** Object map of a snapshot; undefined if it is invalid or missing. */
async function mapOf(
  { header, io, maps }: MaintainedImage,
  snapId: number,
): Promise<ObjectStates | undefined> {
  const { flags, size } = header.snapshots.get(snapId)!;
  if ((flags & imageFlag.objectMapInvalid) !== 0) return undefined;
  const states = await maps.load(snapId).catch(unless("ENOENT"));
  return states === undefined || states.size < io.layout.objectCount(size) ? undefined : states;
}

/** The union of both maps, up to the length of the first. */
function eitherOf(one: ObjectStates, other: ObjectStates): ObjectStates {
  const either = new ObjectStates(one.size);
  for (let objectNumber = 0; objectNumber < one.size; objectNumber++) {
    const isThere = [one, other].some(
      (states) => objectNumber < states.size && states.get(objectNumber) !== objectState.nonexistent,
    );
    if (isThere) either.set(objectNumber, objectState.exists);
  }
  return either;
}

interface SnapshotIds {
  createSelfManaged(): Promise<number>;
  removeSelfManaged(id: number): Promise<void>;
}

async function addWithNewId(
  image: MaintainedImage,
  ids: SnapshotIds,
  { name, namespace }: NewSnapshot,
): Promise<number> {
  for (;;) {
    const snapId = await ids.createSelfManaged();
    try {
      await image.changeHeader(addSnapshot(snapId, name, namespace));
      return snapId;
    } catch (error) {
      // The answer may have been lost: an id that the header lists must not be released.
      if (!(await isMissing(image, snapId, error))) return snapId;
      await ids.removeSelfManaged(snapId).catch(() => {});
      if (hasCode(error, "EEXIST")) throw exists(image, name);
      if (hasCode(error, "EDQUOT")) {
        throw new RbdError(
          "SIPHON_RBD_LIMIT",
          `image ${image.header.name} has reached its limit of snapshots`,
          {
            ...{
              cause: error,
              remedy: { name: "change-snapshot-limit", subject: describe(image.pool, image.header.name) },
            },
          },
        );
      }
      // A client without the lock took a snapshot with a newer id meanwhile.
      if (!hasCode(error, "ESTALE")) throw error;
    }
  }
}

/** @throws the error if the header cannot be read either */
async function isMissing(image: MaintainedImage, snapId: number, error: unknown): Promise<boolean> {
  try {
    await image.refresh();
  } catch {
    throw error;
  }
  return !image.header.snapshots.has(snapId);
}

/** With the last snapshot that needs the parent, a flattened clone is removed from the parent's list. */
async function detachIfLast(image: MaintainedImage, snapshot: HeaderSnapshot): Promise<void> {
  const { header } = image;
  const { parentSpec } = header;
  if (snapshot.parent === undefined || parentSpec === undefined) return;
  const others = [...header.snapshots.values()].filter(({ id }) => id !== snapshot.id);
  const shown = [header.parent, ...others.map(({ parent }) => parent)];
  if (!shown.some((parent) => sameParent(parent, snapshot.parent))) await detachFromParent(image, parentSpec);
}

function named(
  { pool, header }: MaintainedImage,
  name: string,
  namespace: SnapshotNamespace = { type: "user" },
): HeaderSnapshot {
  const found = snapshotOf(header, name, namespace.type);
  if (found !== undefined) return found;
  throw new RbdError("SIPHON_RBD_NO_SNAPSHOT", `image ${header.name} has no snapshot ${name}`, {
    remedy: { name: "list-snapshots", subject: describe(pool, header.name) },
  });
}

function exists({ header }: MaintainedImage, name: string): RbdError {
  return new RbdError("SIPHON_RBD_EXISTS", `image ${header.name} already has a snapshot ${name}`);
}

function busy(message: string, remedy?: RbdRemedy): RbdError {
  return new RbdError("SIPHON_RBD_BUSY", message, remedy && { remedy });
}
