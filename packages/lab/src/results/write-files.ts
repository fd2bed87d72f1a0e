import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { unwritable } from "./file.ts";

/**
 * Writes texts into files of a directory, which it creates if necessary, and returns their paths by the same keys.
 *
 * @throws LabError when it cannot
 */
export async function writeFiles<Key extends string>(
  directory: string,
  files: Record<Key, readonly [name: string, text: string]>,
): Promise<Record<Key, string>> {
  const paths: Partial<Record<Key, string>> = {};
  let path = directory;
  try {
    await mkdir(directory, { recursive: true });
    for (const key of Object.keys(files) as Key[]) {
      const [name, text] = files[key];
      path = join(directory, name);
      await writeFile(path, text);
      paths[key] = path;
    }
  } catch (cause) {
    throw unwritable(path, cause);
  }
  return paths as Record<Key, string>;
}
