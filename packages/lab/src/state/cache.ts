import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { processId } from "../host/proc.ts";
import { cacheDir } from "./paths.ts";

/**
 * The directory `CACHE/kind/key`, built by `build` when it is not there yet. It appears whole or not at all,
 * also when several processes build it at once: each builds its own and the first to finish wins.
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

/** Makes an empty directory to build something in, beside its place; what crashed builders have left there is removed. */
export async function startBuilding(parent: string): Promise<string> {
  await mkdir(parent, { recursive: true });
  await removeAbandoned(parent);
  // The builder's identity in the name tells a later builder whether it still works on it.
  const { pid, startTime } = processId(process.pid)!;
  const building = join(parent, `.building-${pid}-${startTime}-${crypto.randomUUID()}`);
  await mkdir(building);
  return building;
}

/** Removes what crashed builders have left, of whatever kind. */
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
