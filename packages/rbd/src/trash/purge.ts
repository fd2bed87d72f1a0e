import { getDataPool } from "../cls/image.ts";
import { ask } from "../cls/run.ts";
import { hasCode, RbdError } from "../errors.ts";
import { Image } from "../image.ts";
import type { ImagePool } from "../image-pool.ts";
import { headerObject } from "../object-names.ts";
import type { OnProgress } from "../progress.ts";
import type { TrashEntry } from "./trash.ts";

export interface PurgeChoice {
  /** Only images whose retention ends before this time; now by default. */
  readonly expiredBefore?: Date | undefined;
  /** Instead: the oldest images, until the data pools are filled to at most this fraction, from 0 to 1. */
  readonly threshold?: number | undefined;
}

/**
 * The images in the trash that a purge removes (src/librbd/api/Trash.cc).
 *
 * @throws RbdError SIPHON_RBD_INVALID for a threshold outside 0 to 1
 */
export async function trashToPurge(
  images: ImagePool,
  { expiredBefore = new Date(), threshold }: PurgeChoice = {},
): Promise<TrashEntry[]> {
  const all = (await images.trash.list()).filter(
    ({ source }) => source === "user" || source === "user_parent",
  );
  if (threshold === undefined) return all.filter(({ keptUntil }) => keptUntil <= expiredBefore);
  if (!(threshold >= 0 && threshold <= 1)) {
    throw new RbdError("SIPHON_RBD_INVALID", `invalid threshold ${threshold}: it must be from 0 to 1`);
  }
  const { pools } = await images.cluster.df();
  const excess = new Map(
    pools.map(({ id, usedBytes, availableBytes }) => [
      id,
      usedBytes - threshold * (usedBytes + availableBytes),
    ]),
  );
  const chosen: TrashEntry[] = [];
  for (const entry of all.toSorted((a, b) => a.keptUntil.getTime() - b.keptUntil.getTime())) {
    const pool = await dataPoolOf(images, entry.id);
    const left = excess.get(pool) ?? 0;
    if (left <= 0) continue;
    chosen.push(entry);
    excess.set(pool, left - (await bytesOf(images, entry)));
  }
  return chosen;
}

/**
 * Removes images from the trash, clones before their parents.
 *
 * @returns images that could not be removed, and the errors
 */
export async function purgeTrash(
  { trash }: ImagePool,
  entries: readonly TrashEntry[],
  onProgress?: OnProgress,
): Promise<{ entry: TrashEntry; error: unknown }[]> {
  let left = entries.map((entry) => ({ entry, error: undefined as unknown }));
  for (let before = Number.POSITIVE_INFINITY; left.length > 0 && left.length < before; ) {
    before = left.length;
    const failed: typeof left = [];
    for (const { entry } of left) {
      try {
        await trash.remove(entry.id, { force: true });
        onProgress?.(entries.length - left.length + 1, entries.length);
      } catch (error) {
        if (!hasCode(error, "SIPHON_RBD_BUSY", "SIPHON_RBD_UNSUPPORTED")) throw error;
        failed.push({ entry, error });
      }
    }
    left = failed;
  }
  return left;
}

async function dataPoolOf({ pool }: ImagePool, id: string): Promise<number> {
  const found = await ask(pool, headerObject(id), getDataPool).catch(() => -1);
  return found < 0 ? pool.id : found;
}

/** Bytes that its removal frees. */
async function bytesOf({ cluster, pool }: ImagePool, { id, name }: TrashEntry): Promise<number> {
  let bytes = 0;
  try {
    await using image = await Image.open(cluster, pool, id, name, { readOnly: true, watch: false });
    for await (const { length, exists } of image.diff({ wholeObject: true, withParent: false }).extents()) {
      if (exists) bytes += length;
    }
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
  return bytes;
}
