import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { processId } from "../host/proc.ts";
import { datedDirectory } from "./dated.ts";
import { unwritable } from "./file.ts";

/** File that names the process of the run, so that others can check whether it is alive. */
export const processFile = ".process.json";

/** Makes `OUT/<time>`, with a directory for fio's own output, and points `OUT/latest` at it; throws a LabError. */
export async function makeRunDirectory(out: string): Promise<string> {
  const directory = datedDirectory(out);
  try {
    await mkdir(join(directory, "fio"), { recursive: true });
    await writeFile(join(directory, processFile), `${JSON.stringify(processId(process.pid))}\n`);
    await pointLatest(out, directory);
  } catch (cause) {
    throw unwritable(directory, cause);
  }
  return directory;
}

/** Makes `OUT/latest` point to a run. */
export async function pointLatest(out: string, directory: string): Promise<void> {
  const link = join(out, "latest");
  await rm(`${link}.new`, { force: true });
  await symlink(basename(directory), `${link}.new`);
  await rename(`${link}.new`, link);
}
