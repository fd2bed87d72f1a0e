import type { Pool } from "@siphon/rados";
import { renameInDirectory } from "../cls/directory.ts";
import { changeAll } from "../cls/run.ts";
import { describe } from "../describe.ts";
import { RbdError, unless } from "../errors.ts";
import { directoryObject, idObject, oldHeaderObject } from "../object-names.ts";
import { tellHeaderUpdate } from "../watch/tell-header-update.ts";
import { assertImageName, takeName } from "./create-image.ts";
import { idOf, isThere } from "./find-image.ts";

/**
 * Gives an image another name in its pool and namespace (src/librbd/operation/RenameRequest.cc). A crash in between
 * leaves it with both names.
 */
export async function renameImage(pool: Pool, name: string, newName: string): Promise<void> {
  assertImageName(newName);
  const id = await idOf(pool, name);
  if (name === newName || (await isThere(pool, oldHeaderObject(newName)))) {
    throw new RbdError("SIPHON_RBD_EXISTS", `image ${describe(pool, newName)} already exists`);
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
