import type { Cluster, Pool } from "@siphon/rados";
import { errno, SiphonError } from "@siphon/wire";
import type { ParentSpec } from "../cls/parent.ts";
import { ask, changeAll } from "../cls/run.ts";
import { getTrashed, removeFromTrash, type TrashedImage } from "../cls/trash.ts";
import { describe, placeOf } from "../describe.ts";
import { hasCode, RbdError, type RbdRemedy } from "../errors.ts";
import { readHeader } from "../header/read-header.ts";
import { poolById } from "../image/pools.ts";
import { detachFromParent } from "../maintenance/flatten.ts";
import { removeForsaken } from "../maintenance/forsaken-snapshots.ts";
import type { MaintainedImage, OtherImage } from "../maintenance/maintained-image.ts";
import { trim } from "../maintenance/trim.ts";
import { StoredObjectMaps } from "../object-map/stored-object-maps.ts";
import { headerObject, trashObject } from "../object-names.ts";
import type { OnProgress } from "../progress.ts";
import { changeTrashState } from "../trash/trash-state.ts";
import { isThere } from "./find-image.ts";

/** Opens an image whose data, and perhaps whose parent's, need not be readable. */
export type OpenToRemove = (pool: Pool, id: string, name: string) => Promise<OtherImage>;

/** Removes an image that is in the trash, whatever its entry there says. */
export async function removeTrashed(
  cluster: Cluster,
  open: OpenToRemove,
  pool: Pool,
  id: string,
  { name, state }: Pick<TrashedImage, "name" | "state">,
  progress?: OnProgress,
): Promise<void> {
  await changeTrashState(pool, id, "removing", state);
  let parent: ParentSpec | undefined;
  try {
    parent = await removeData(open, pool, id, name, progress, byId(pool, id, name));
  } catch (error) {
    await changeTrashState(pool, id, "normal", "removing").catch(() => {});
    throw error;
  }
  await removeHeader(pool, id);
  await unlessGone(changeAll(pool, trashObject, [removeFromTrash(id)]));
  if (parent !== undefined) await removeForsakenParent(cluster, open, parent);
}

/**
 * Removes a parent that was put into the trash until its clones are gone (rbd_move_parent_to_trash_on_remove), if it has no snapshots any more
 * (src/librbd/image/DetachChildRequest.cc). Where that fails, for want of rights for example, it stays in the trash.
 */
export async function removeForsakenParent(
  cluster: Cluster,
  open: OpenToRemove,
  { poolId, namespace, imageId }: ParentSpec,
): Promise<void> {
  try {
    const pool = await poolById(cluster, poolId, namespace);
    const trashed = await ask(pool, trashObject, getTrashed(imageId));
    const isDue = trashed.keptUntil.getTime() <= Date.now();
    if (trashed.source !== "user_parent" || trashed.state !== "normal" || !isDue) return;
    const { snapshots } = await readHeader(pool, imageId, trashed.name);
    if (snapshots.size === 0) await removeTrashed(cluster, open, pool, imageId, trashed);
  } catch (error) {
    if (!(error instanceof SiphonError)) throw error;
  }
}

/**
 * Removes what an image's header leads to, so that only the header and the object map are left; nothing, if they are gone.
 *
 * @returns the parent that it was a clone of
 */
export async function removeData(
  open: OpenToRemove,
  pool: Pool,
  id: string,
  name: string,
  progress?: OnProgress,
  words = byName(pool, name),
): Promise<ParentSpec | undefined> {
  if (!(await isThere(pool, headerObject(id)))) return undefined;
  const image = await open(pool, id, name);
  try {
    await removeForsaken(image);
    await refuseIfUsed(image, words);
    const { parentSpec } = image.header;
    const removed = async () => {
      await trim(image, 0, progress);
      if (parentSpec !== undefined) await detachFromParent(image, parentSpec);
    };
    if (image.lock === undefined) await removed();
    else if (!(await image.lock.whileOwned(removed))) throw inUse(words);
    return parentSpec;
  } finally {
    await image.close();
  }
}

export async function removeHeader(pool: Pool, id: string): Promise<void> {
  await new StoredObjectMaps(pool, id).remove();
  await unlessGone(pool.remove(headerObject(id)));
}

/** An image in a message, and as the subject of a remedy, which means this image and no other. */
export interface ImageWords {
  readonly what: string;
  readonly image: Pick<RbdRemedy, "subject" | "imageId">;
}

export function byName(pool: Pool, name: string): ImageWords {
  const what = describe(pool, name);
  return { what, image: { subject: what } };
}

/** An image in the trash, whose name another image may have by now. */
export function byId(pool: Pool, id: string, name: string): ImageWords {
  return {
    what: `${describe(pool, name)} (id ${id}, in the trash)`,
    image: { subject: placeOf(pool), imageId: id },
  };
}

export async function refuseIfUsed(
  { pool, header, headerName }: MaintainedImage,
  { what, image }: ImageWords,
): Promise<void> {
  const { snaps } = header.snapContext;
  if (snaps.length > 0 && snaps.every((id) => header.snapshots.get(id)?.namespace.type === "trash")) {
    const message = `image has snapshots with linked clones, which must be removed or flattened first: ${what}`;
    throw new RbdError("SIPHON_RBD_BUSY", message, {
      ...{ errno: -errno.ENOTEMPTY, remedy: { name: "list-children", ...image } },
    });
  }
  if (snaps.length > 0) {
    throw new RbdError("SIPHON_RBD_BUSY", `image has snapshots, which must be removed first: ${what}`, {
      ...{ errno: -errno.ENOTEMPTY, remedy: { name: "purge-snapshots", ...image } },
    });
  }
  const watchers = await pool.listWatchers(headerName);
  if (watchers.length > 1) throw inUse({ what, image });
  if (header.group !== undefined) {
    throw new RbdError("SIPHON_RBD_BUSY", `image belongs to a group: ${what}`, {
      ...{
        errno: -errno.EMLINK,
        remedy: { name: "leave-group", ...image },
      },
    });
  }
}

function inUse({ what, image }: ImageWords): RbdError {
  return new RbdError("SIPHON_RBD_BUSY", `image still has watchers: another client has ${what} open`, {
    ...{
      retryable: true,
      hint: "the watch of a dead client ends after 30 s",
      remedy: { name: "list-watchers", ...image },
    },
  });
}

export async function unlessGone(done: Promise<void>): Promise<void> {
  try {
    await done;
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
}
