import type { Cluster, Pool } from "@siphon/rados";
import { listChildren } from "../cls/parent.ts";
import { ask } from "../cls/run.ts";
import { hasCode } from "../errors.ts";
import type { ImageHeader } from "../header/image-header.ts";
import { readHeader } from "../header/read-header.ts";
import { poolById } from "../image/pools.ts";
import { listOldChildrenOf } from "../maintenance/old-children.ts";
import { headerObject } from "../object-names.ts";
import { nameInTrash, nameOf } from "./find-image.ts";

/** A clone. */
export interface ChildImage {
  readonly pool: string;
  readonly namespace: string;
  readonly name: string;
  readonly id: string;
  /** It was put into the trash. */
  readonly trash: boolean;
}

/** The clones of a snapshot, of either version, in all pools and namespaces. */
export async function childrenOf(
  cluster: Cluster,
  pool: Pool,
  image: Pick<ImageHeader, "id" | "poolId">,
  snapId: number,
): Promise<ChildImage[]> {
  const newer = await ask(pool, headerObject(image.id), listChildren(snapId)).catch((error) => {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  });
  const older = await listOldChildrenOf(cluster, pool.namespace, image, snapId);
  return Promise.all(
    [...newer, ...older].map(async ({ poolId, namespace, imageId: id }) => {
      const childPool = await poolById(cluster, poolId, namespace);
      const listed = await nameOf(childPool, id);
      const trashed = listed === undefined ? await nameInTrash(childPool, id) : undefined;
      const name = listed ?? trashed ?? "";
      return { pool: childPool.name, namespace, name, id, trash: trashed !== undefined };
    }),
  );
}

/** The clones of an image's snapshots, their own clones, and so on. */
export async function descendantsOf(
  cluster: Cluster,
  pool: Pool,
  image: Pick<ImageHeader, "id" | "poolId">,
  snapIds: readonly number[],
): Promise<ChildImage[]> {
  const children = (await Promise.all(snapIds.map((id) => childrenOf(cluster, pool, image, id)))).flat();
  const further = await Promise.all(
    children.map(async ({ pool: poolName, namespace, id, name }) => {
      const childPool = await cluster.pool(poolName, { namespace });
      const header = await readHeader(childPool, id, name);
      return descendantsOf(cluster, childPool, header, header.snapContext.snaps);
    }),
  );
  return [...children, ...further.flat()];
}

export function sortedChildren(children: readonly ChildImage[]): ChildImage[] {
  const key = ({ pool, namespace, name }: ChildImage) => `${pool}/${namespace}/${name}`;
  return children.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}
