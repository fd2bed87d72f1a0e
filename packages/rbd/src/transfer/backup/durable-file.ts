import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Ends the names of files that are being written: what is left of them after a crash is worth nothing. */
export const partialSuffix = ".partial";

/**
 * Writes a file that is there whole or not at all, whenever the machine or the process may die: under another name, synced,
 * renamed. A file of that name is replaced.
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

/** Removes files of one directory for good. */
export async function removeDurably(directory: string, names: readonly string[]): Promise<void> {
  for (const name of names) await rm(join(directory, basename(name)), { force: true });
  if (names.length > 0) await syncDirectory(directory);
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, "r");
  await directory.sync();
}
