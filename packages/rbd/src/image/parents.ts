import { type Cluster, NO_SNAP } from "@siphon/rados";
import { hasCode } from "../errors.ts";
import { type ImageHeader, imageFlag } from "../header/image-header.ts";
import { readHeader } from "../header/read-header.ts";
import type { ParentLink } from "../image-state.ts";
import { ImageIo } from "../io/image-io.ts";
import { ObjectMap } from "../object-map/object-map.ts";
import { StoredObjectMaps } from "../object-map/stored-object-maps.ts";
import { assertReadable, has } from "./features.ts";
import { poolById } from "./pools.ts";

/**
 * The snapshot that a clone shows, ready to be read, with its own parents. It is not watched: what a snapshot shows does not
 * change, and where it comes from is looked at again whenever the clone's header is.
 */
export async function openParent(cluster: Cluster, link: ParentLink): Promise<ImageIo> {
  const pool = await poolById(cluster, link.poolId, link.namespace);
  const header = await readHeader(pool, link.imageId, link.imageId);
  assertReadable(header);
  const io = new ImageIo({ objecter: cluster.objecter, state: header, snapId: link.snapId });
  io.objectMap = await snapshotMap(cluster, header, link.snapId);
  const next = header.snapshots.get(link.snapId)?.parent;
  if (next !== undefined) io.parent = await openParent(cluster, next);
  return io;
}

/** What is known of the objects of a snapshot; undefined if nothing is. */
export async function snapshotMap(
  cluster: Cluster,
  header: ImageHeader,
  snapId: number,
): Promise<ObjectMap | undefined> {
  const snapshot = header.snapshots.get(snapId);
  const invalid = ((snapshot?.flags ?? 0) & imageFlag.objectMapInvalid) !== 0;
  if (!has(header, "objectMap") || invalid || snapId === NO_SNAP) return undefined;
  const { id: imageId, poolId, namespace } = header;
  const pool = await poolById(cluster, poolId, namespace);
  try {
    const states = await new StoredObjectMaps(pool, imageId).load(snapId);
    const { objecter } = cluster;
    return new ObjectMap({ objecter, poolId, namespace, imageId, states, onInvalid: async () => {} });
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

export function sameParent(a: ParentLink | undefined, b: ParentLink | undefined): boolean {
  return (
    a?.poolId === b?.poolId &&
    a?.namespace === b?.namespace &&
    a?.imageId === b?.imageId &&
    a?.snapId === b?.snapId
  );
}
