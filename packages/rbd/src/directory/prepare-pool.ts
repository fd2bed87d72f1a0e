import type { ImagePool } from "../image-pool.ts";
import { markPool } from "./create-image.ts";

/**
 * Prepares a pool for images: enables the application `rbd`, and verifies that it supports self-managed snapshots.
 *
 * @param force also prepare a pool of another application @returns whether the pool was prepared
 */
export async function preparePool({ cluster, pool }: ImagePool, { force = false } = {}): Promise<boolean> {
  const { applications } = pool.state;
  if (!applications.has("rbd")) {
    if (applications.size > 0 && !force) return false;
    await cluster.command({
      ...{ prefix: "osd pool application enable", pool: pool.name, app: "rbd" },
      ...(force && { yes_i_really_mean_it: true }),
    });
  }
  await markPool(pool.with({ namespace: "" }));
  return true;
}
