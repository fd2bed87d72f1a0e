import { mkdir, rename, rm, symlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { datedDirectory } from "./dated.ts";
import { unwritable } from "./file.ts";

/** Makes `OUT/<time>`, with a directory for fio's own output, and points `OUT/latest` at it; throws a LabError. */
export async function makeRunDirectory(out: string): Promise<string> {
  const directory = datedDirectory(out);
  try {
    await mkdir(join(directory, "fio"), { recursive: true });
    const link = join(out, "latest");
    await rm(`${link}.new`, { force: true });
    await symlink(basename(directory), `${link}.new`);
    await rename(`${link}.new`, link);
  } catch (cause) {
    throw unwritable(directory, cause);
  }
  return directory;
}
