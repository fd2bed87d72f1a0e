import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { processId } from "../host/proc.ts";
import { cacheDir } from "./paths.ts";

/**
 * The directory `CACHE/kind/key`, built by `build` if it does not exist. It appears atomically, even if several
 * processes build it concurrently: each builds its own, and the first to finish wins.
 */
export async function cached(
  kind: string,
  key: string,
  build: (dir: string) => Promise<void>,
): Promise<string> {
  const parent = join(cacheDir(), kind);
  const finished = join(parent, key);
  if (existsSync(finished)) return finished;
  const building = await startBuilding(parent);
  try {
    await build(building);
    await rename(building, finished);
  } catch (error) {
    await rm(building, { recursive: true, force: true });
    if (!existsSync(finished)) throw error;
  }
  return finished;
}

/** Creates an empty directory for a build next to its place, and removes the leftovers of crashed builders. */
export async function startBuilding(parent: string): Promise<string> {
  await mkdir(parent, { recursive: true });
  await removeAbandoned(parent);
  // The builder's identity in the name shows whether it is still alive.
  const { pid, startTime } = processId(process.pid)!;
  const building = join(parent, `.building-${pid}-${startTime}-${crypto.randomUUID()}`);
  await mkdir(building);
  return building;
}

/** Removes the leftovers of crashed builders, of all kinds. */
export async function removeAbandonedBuilds(): Promise<void> {
  const kinds = existsSync(cacheDir()) ? await readdir(cacheDir(), { withFileTypes: true }) : [];
  for (const kind of kinds) {
    if (kind.isDirectory()) await removeAbandoned(join(cacheDir(), kind.name));
  }
}

async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const [, pid, startTime] = /^\.building-(\d+)-(\d+)-/.exec(name) ?? [];
    if (pid && processId(Number(pid))?.startTime !== Number(startTime)) {
      await rm(join(parent, name), { recursive: true, force: true });
    }
  }
}
