import { type Pool, type TmapChange, WriteOperation } from "@siphon/rados";
import { Reader } from "@siphon/wire";
import { hasCode } from "../errors.ts";
import { directoryObject } from "../object-names.ts";

/** Names of the images of format 1. The directory's data is a blob, and a map of these names to empty blobs. */
export async function listOldNames(pool: Pool): Promise<string[]> {
  const bytes = await pool.read(directoryObject).catch((error) => {
    if (hasCode(error, "ENOENT")) return Buffer.alloc(0);
    throw error;
  });
  if (bytes.length === 0) return [];
  const r = new Reader(bytes, `directory of pool ${pool.name}`);
  r.blob();
  const names = r.map(
    4 + 4,
    () => r.string(),
    () => r.blob(),
  );
  return [...names.keys()];
}

/** @throws RadosError ENOENT if a name that is removed is not in the directory */
export async function changeOldNames(
  pool: Pool,
  { add, remove }: { readonly add?: string; readonly remove?: string },
): Promise<void> {
  const changes: TmapChange[] = [];
  if (add !== undefined) changes.push({ set: add, value: new Uint8Array() });
  if (remove !== undefined) changes.push({ remove });
  await pool.operate(directoryObject, new WriteOperation().updateTmap(changes));
}
