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
 * Removes images from the trash, clones before their parents. Images that are gone, or were put into the trash again since they were chosen,
 * are passed over.
 *
 * @returns images that could not be removed, and the errors
 */
export async function purgeTrash(
  { trash }: Pick<ImagePool, "trash">,
  entries: readonly TrashEntry[],
  onProgress?: OnProgress,
): Promise<{ entry: TrashEntry; error: unknown }[]> {
  let left = entries.map((entry) => ({ entry, error: undefined as unknown }));
  let done = 0;
  for (let before = Number.POSITIVE_INFINITY; left.length > 0 && left.length < before; ) {
    before = left.length;
    const failed: typeof left = [];
    for (const { entry } of left) {
      try {
        if (isSame(entry, await trash.get(entry.id))) await trash.remove(entry.id, { force: true });
      } catch (error) {
        if (hasCode(error, "SIPHON_RBD_BUSY", "SIPHON_RBD_UNSUPPORTED")) {
          failed.push({ entry, error });
          continue;
        }
        // A parent that was there for its clones alone goes with the last of them.
        if (!hasCode(error, "SIPHON_RBD_NO_IMAGE", "ENOENT")) throw error;
      }
      onProgress?.(++done, entries.length);
    }
    left = failed;
  }
  return left;
}

function isSame(chosen: TrashEntry, now: TrashEntry): boolean {
  return (
    chosen.trashed.getTime() === now.trashed.getTime() &&
    chosen.keptUntil.getTime() === now.keptUntil.getTime()
  );
}

async function dataPoolOf({ pool }: ImagePool, id: string): Promise<number> {
  const found = await ask(pool, headerObject(id), getDataPool).catch(() => -1);
  return found < 0 ? pool.id : found;
}

/** Bytes that its removal frees; 0 if that cannot be found out. */
async function bytesOf({ cluster, pool }: ImagePool, { id, name }: TrashEntry): Promise<number> {
  let bytes = 0;
  try {
    await using image = await Image.open(cluster, pool, id, name, { readOnly: true, watch: false });
    for await (const { length, exists } of image.diff({ wholeObject: true, withParent: false }).extents()) {
      if (exists) bytes += length;
    }
  } catch (error) {
    if (!hasCode(error, "ENOENT", "SIPHON_RBD_NO_IMAGE", "SIPHON_RBD_UNSUPPORTED")) throw error;
  }
  return bytes;
}
