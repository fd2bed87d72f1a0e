import { randomInt } from "node:crypto";
import { type Cluster, type Pool, WriteOperation } from "@siphon/rados";
import { RbdError } from "../errors.ts";
import type { ImageHeader } from "../header/image-header.ts";
import { encodeOldHeader } from "../header/old-header.ts";
import { oldHeaderObject, oldId } from "../object-names.ts";
import { orUndo } from "../or-undo.ts";
import { tellHeaderUpdate } from "../watch/tell-header-update.ts";
import { changeOldNames } from "./old-directory.ts";

/**
 * Creates an image of format 1 for tests of old images, as librbd does (src/librbd/internal.cc, create_v1): only if the
 * environment has RBD_FORCE_ALLOW_V1. The caller knows that the name is free.
 *
 * @returns its id
 */
export async function createOldImage(
  { globalId }: Cluster,
  pool: Pool,
  name: string,
  { size, order }: Pick<ImageHeader, "size" | "order">,
): Promise<string> {
  if (process.env.RBD_FORCE_ALLOW_V1 === undefined) {
    throw new RbdError(
      "SIPHON_RBD_INVALID",
      "image format 1 is deprecated: siphon makes images of format 2",
      {
        hint: "request format 2, and unset rbd_default_format",
      },
    );
  }
  if (pool.namespace !== "") {
    throw new RbdError("SIPHON_RBD_INVALID", "namespaces have no images of format 1");
  }
  const objectPrefix = `rb.0.${globalId.toString(16)}.${randomInt(2 ** 32)
    .toString(16)
    .padStart(8, "0")}`;
  await changeOldNames(pool, { add: name });
  const header = encodeOldHeader({ objectPrefix, order, size });
  await orUndo(
    () => createHeader(pool, name, header),
    () => changeOldNames(pool, { remove: name }),
  );
  return oldId(name);
}

/** Gives an image of format 1 another name, which the caller knows to be free: its header moves to another object. */
export async function renameOldImage(pool: Pool, name: string, newName: string): Promise<void> {
  await createHeader(pool, newName, await pool.read(oldHeaderObject(name)));
  await orUndo(
    () => changeOldNames(pool, { add: newName, remove: name }),
    () => pool.remove(oldHeaderObject(newName)),
  );
  await tellHeaderUpdate(pool, oldId(name));
  await pool.remove(oldHeaderObject(name));
}

async function createHeader(pool: Pool, name: string, header: Buffer): Promise<void> {
  await pool.operate(
    oldHeaderObject(name),
    new WriteOperation().create({ exclusive: true }).write(0, header),
  );
}
