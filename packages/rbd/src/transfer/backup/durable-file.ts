import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Suffix of files that are being written; leftovers after a crash are garbage. */
export const partialSuffix = ".partial";

/**
 * Writes a file atomically, even if the machine or the process dies: under a temporary name, synced, then renamed.
 * Replaces an existing file.
 */
export async function writeDurably(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const partial = path + partialSuffix;
  try {
    await using file = await open(partial, "w");
    await write(file);
    await file.sync();
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  await rename(partial, path);
  await syncDirectory(dirname(path));
}

/** Removes files of one directory durably. */
export async function removeDurably(directory: string, names: readonly string[]): Promise<void> {
  for (const name of names) await rm(join(directory, basename(name)), { force: true });
  if (names.length > 0) await syncDirectory(directory);
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, "r");
  await directory.sync();
}
