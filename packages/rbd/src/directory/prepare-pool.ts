import type { ImagePool } from "../image-pool.ts";
import { markPool } from "./create-image.ts";

/**
 * Makes a pool ready for images: registers it to the application `rbd`, and tries that it can take snapshots.
 *
 * @param force also a pool that is registered to another application
 * @returns whether it was done
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
