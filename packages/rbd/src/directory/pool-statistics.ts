import { hasCode } from "../errors.ts";
import { readHeader } from "../header/read-header.ts";
import type { ImagePool } from "../image-pool.ts";
import { isOldId } from "../object-names.ts";
import type { ImageEntry } from "./find-image.ts";

/** Totals of several images. */
export interface ImageTotals {
  count: number;
  /** Sum of the images' sizes, each the largest of the image and its snapshots. */
  provisionedBytes: number;
  snapshots: number;
  /** Errors of images that count without a size, because their headers cannot be represented. */
  unreadable: Error[];
}

/**
 * Totals of the images of a pool or a namespace, and of those in its trash (src/librbd/api/Pool.cc). As in librbd,
 * images of format 1 do not count.
 */
export async function poolStatistics(
  images: ImagePool,
): Promise<{ images: ImageTotals; trash: ImageTotals }> {
  const trashed = (await images.trash.list()).filter(({ source }) => source === "user");
  const listed = (await images.list()).filter(({ id }) => !isOldId(id));
  return { images: await totals(images, listed), trash: await totals(images, trashed) };
}

async function totals({ pool }: ImagePool, entries: readonly ImageEntry[]): Promise<ImageTotals> {
  const sum: ImageTotals = { count: 0, provisionedBytes: 0, snapshots: 0, unreadable: [] };
  for (const { id, name } of entries) {
    try {
      const { size, snapshots } = await readHeader(pool, id, name);
      sum.count++;
      sum.provisionedBytes += Math.max(size, ...[...snapshots.values()].map((snapshot) => snapshot.size));
      sum.snapshots += snapshots.size;
    } catch (error) {
      if (hasCode(error, "ENOENT")) continue;
      if (!hasCode(error, "SIPHON_RBD_UNSUPPORTED")) throw error;
      sum.count++;
      sum.unreadable.push(error as Error);
    }
  }
  return sum;
}
