import type { Pool } from "@siphon/rados";
import { renameInDirectory } from "../cls/directory.ts";
import { changeAll } from "../cls/run.ts";
import { describe } from "../describe.ts";
import { RbdError, unless } from "../errors.ts";
import { directoryObject, idObject, isOldId, oldHeaderObject } from "../object-names.ts";
import { tellHeaderUpdate } from "../watch/tell-header-update.ts";
import { assertImageName, takeName } from "./create-image.ts";
import { idToOpen, isThere } from "./find-image.ts";
import { renameOldImage } from "./old-image.ts";

/**
 * Gives an image another name in its pool and namespace (src/librbd/operation/RenameRequest.cc). A crash in between
 * leaves it with both names.
 *
 * @throws RbdError SIPHON_RBD_NO_IMAGE, SIPHON_RBD_EXISTS
 */
export async function renameImage(pool: Pool, name: string, newName: string): Promise<void> {
  assertImageName(newName);
  const id = await idToOpen(pool, name);
  const exists = () => new RbdError("SIPHON_RBD_EXISTS", `image ${describe(pool, newName)} already exists`);
  if (name === newName || (await isThere(pool, oldHeaderObject(newName)))) throw exists();
  if (isOldId(id)) {
    if (await isThere(pool, idObject(newName))) throw exists();
    return await renameOldImage(pool, name, newName);
  }
  await takeName(pool, newName, id);
  try {
    await changeAll(pool, directoryObject, [renameInDirectory(name, newName, id)]);
  } catch (error) {
    await pool.remove(idObject(newName)).catch(unless("ENOENT"));
    throw error;
  }
  await tellHeaderUpdate(pool, id);
  await pool.remove(idObject(name)).catch(unless("ENOENT"));
}
