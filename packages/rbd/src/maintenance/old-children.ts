import type { Cluster } from "@siphon/rados";
import { type ChildSpec, listOldChildren } from "../cls/parent.ts";
import { ask } from "../cls/run.ts";
import { hasCode } from "../errors.ts";
import { poolById } from "../image/pools.ts";
import type { ImageState } from "../image-state.ts";
import { childrenObject } from "../object-names.ts";

/**
 * Clones of version 1. Only the clones' own pools list them, so all pools are searched. They are in the namespace of
 * their parent.
 *
 * @param namespace that the image is in
 */
export async function listOldChildrenOf(
  cluster: Cluster,
  namespace: string,
  image: Pick<ImageState, "id" | "poolId">,
  snapId: number,
): Promise<ChildSpec[]> {
  const parent = { poolId: image.poolId, namespace: "", imageId: image.id, snapId };
  const found = await Promise.all(
    [...cluster.pools.keys()].map(async (poolId) => {
      const pool = await poolById(cluster, poolId, namespace);
      try {
        const ids = await ask(pool, childrenObject, listOldChildren(parent));
        return ids.map((imageId) => ({ poolId, namespace, imageId }));
      } catch (error) {
        // As in rbd, skips pools that this user may not read, or that are not RBD's.
        if (hasCode(error, "ENOENT", "EPERM", "EOPNOTSUPP")) return [];
        throw error;
      }
    }),
  );
  return found.flat();
}
