import type { Cluster, Pool } from "@siphon/rados";
import { idOfName, removeFromDirectory } from "../cls/directory.ts";
import { ask, changeAll } from "../cls/run.ts";
import { hasCode } from "../errors.ts";
import { OpenImage } from "../image/open-image.ts";
import { directoryObject, idObject, isOldId, oldId } from "../object-names.ts";
import type { OnProgress } from "../progress.ts";
import { idToOpen } from "./find-image.ts";
import { changeOldNames, listOldNames } from "./old-directory.ts";
import {
  byName,
  type OpenToRemove,
  refuseIfUsed,
  removeData,
  removeForsakenParent,
  removeHeader,
  unlessGone,
} from "./remove-data.ts";

/**
 * Removes an image and all of its data (src/librbd/image/RemoveRequest.cc). Completes a removal that was interrupted.
 *
 * @throws RbdError SIPHON_RBD_BUSY while it has snapshots, or another client has it open
 */
export async function removeImage(
  cluster: Cluster,
  pool: Pool,
  name: string,
  progress?: OnProgress,
  knownId?: string,
): Promise<void> {
  const id = knownId ?? (await listedId(pool, name));
  const open = openToRemove(cluster);
  const parent = await removeData(open, pool, id, name, progress);
  await removeEmptyImage(pool, id, name);
  if (parent !== undefined) await removeForsakenParent(cluster, open, parent);
}

/** Checks whether an image can be removed, without removing it. */
export async function assertRemovable(
  cluster: Cluster,
  pool: Pool,
  id: string,
  name: string,
  words = byName(pool, name),
): Promise<void> {
  const image = await openToRemove(cluster)(pool, id, name);
  try {
    await refuseIfUsed(image, words);
  } finally {
    await image.close();
  }
}

/** Removes the rest of an image without data: the header, the object map, its name. */
export async function removeEmptyImage(pool: Pool, id: string, name: string): Promise<void> {
  await removeHeader(pool, id);
  if (isOldId(id)) return await unlessGone(changeOldNames(pool, { remove: name }));
  await unlessGone(pool.remove(idObject(name)));
  await unlessGone(changeAll(pool, directoryObject, [removeFromDirectory(name, id)]));
}

/** Also for an image whose interrupted removal has removed its name. */
async function listedId(pool: Pool, name: string): Promise<string> {
  try {
    return await idToOpen(pool, name);
  } catch (error) {
    if (!hasCode(error, "SIPHON_RBD_NO_IMAGE")) throw error;
    const id = await ask(pool, directoryObject, idOfName(name)).catch(() => undefined);
    if (id !== undefined) return id;
    const old = await listOldNames(pool).catch((): string[] => []);
    if (old.includes(name)) return oldId(name);
    throw error;
  }
}

export function openToRemove(cluster: Cluster): OpenToRemove {
  return (pool, id, name) => OpenImage.open(cluster, pool, id, name, { withoutParents: true });
}
