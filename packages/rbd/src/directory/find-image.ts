import type { ObjectOptions, Pool } from "@siphon/rados";
import { errno } from "@siphon/wire";
import { getId, listDirectory, nameOfId } from "../cls/directory.ts";
import { ask, askPages } from "../cls/run.ts";
import { getTrashed } from "../cls/trash.ts";
import { describe, placeOf } from "../describe.ts";
import { hasCode, RbdError } from "../errors.ts";
import {
  directoryObject,
  idObject,
  isOldId,
  oldHeaderObject,
  oldId,
  oldName,
  trashObject,
} from "../object-names.ts";
import { listOldNames } from "./old-directory.ts";

export interface ImageEntry {
  readonly name: string;
  readonly id: string;
}

/**
 * @throws RbdError SIPHON_RBD_NO_IMAGE; SIPHON_RBD_UNSUPPORTED for an image of format 1
 */
export async function idOf(pool: Pool, name: string): Promise<string> {
  const id = await idToOpen(pool, name);
  if (!isOldId(id)) return id;
  throw new RbdError(
    "SIPHON_RBD_UNSUPPORTED",
    `image ${describe(pool, name)} has format 1, which does not allow this`,
    { errno: -errno.EOPNOTSUPP, hint: "copy it to an image of format 2" },
  );
}

/**
 * As `idOf`, for images of either format.
 *
 * @throws RbdError SIPHON_RBD_NO_IMAGE
 */
export async function idToOpen(pool: Pool, name: string): Promise<string> {
  try {
    return await ask(pool, idObject(name), getId);
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
  if (await isThere(pool, oldHeaderObject(name))) return oldId(name);
  throw noImage(pool, name);
}

/** The name of an id in the directory; undefined for images in the trash. */
export async function nameOf(pool: Pool, id: string): Promise<string | undefined> {
  if (isOldId(id)) return oldName(id);
  try {
    return await ask(pool, directoryObject, nameOfId(id));
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** The name of an image in the trash; undefined if the trash has no such id. */
export async function nameInTrash(pool: Pool, id: string): Promise<string | undefined> {
  try {
    return (await ask(pool, trashObject, getTrashed(id))).name;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** In the order of their names, those of format 1 first. */
export async function listImages(pool: Pool): Promise<ImageEntry[]> {
  const [old, images] = await Promise.all([pool.namespace === "" ? listOldNames(pool) : [], listNew(pool)]);
  return [...old.map((name) => ({ name, id: oldId(name) })), ...images];
}

async function listNew(pool: Pool): Promise<ImageEntry[]> {
  const images = await askPages(pool, directoryObject, (last: [string, string] | undefined, most) =>
    listDirectory(last?.[0] ?? "", most),
  );
  return images.map(([name, id]) => ({ name, id }));
}

export async function isThere(pool: Pool, object: string, options?: ObjectOptions): Promise<boolean> {
  try {
    await pool.stat(object, options);
    return true;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return false;
    throw error;
  }
}

export function noImage(pool: Pool, name: string): RbdError {
  return new RbdError("SIPHON_RBD_NO_IMAGE", `there is no image ${describe(pool, name)}`, {
    remedy: { name: "list-images", subject: placeOf(pool) },
  });
}
