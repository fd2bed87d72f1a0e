import { type Cluster, NO_SNAP } from "@siphon/rados";
import { getSize } from "../cls/image.ts";
import { ask } from "../cls/run.ts";
import { hasCode } from "../errors.ts";
import { type ImageHeader, imageFlag } from "../header/image-header.ts";
import { readHeader } from "../header/read-header.ts";
import type { ParentLink } from "../image-state.ts";
import { ImageIo } from "../io/image-io.ts";
import type { IoTuning } from "../io/io-tuning.ts";
import { isStale, Presence, staleError } from "../io/presence.ts";
import { ObjectMap } from "../object-map/object-map.ts";
import { StoredObjectMaps } from "../object-map/stored-object-maps.ts";
import { headerObject } from "../object-names.ts";
import { assertReadable, has } from "./features.ts";
import { poolById } from "./pools.ts";

/**
 * Opens a clone's parent snapshot with its own parents. It is not watched. The content of a snapshot never changes, so
 * its object map stays true: an absent object always has the data of the next parent. But the place of that data
 * changes: a flattened clone gets objects of its own, and then its parent may be removed. So "no object" from an OSD is
 * valid only if the snapshot still exists; otherwise the read ends with `errno.stale`, and the chain is opened again.
 *
 * @param tuning of the clone
 * @throws RbdError with `errno.stale` if there is no such snapshot
 */
export async function openParent(cluster: Cluster, link: ParentLink, tuning: IoTuning): Promise<ImageIo> {
  const { imageId, snapId } = link;
  const what = `snapshot ${snapId} of parent image ${imageId}`;
  const gone = () => {
    throw staleError(what);
  };
  const pool = await poolById(cluster, link.poolId, link.namespace).catch(unlessGone(gone));
  for (let attempt = 1; ; attempt++) {
    const header = await readHeader(pool, imageId, imageId).catch(unlessGone(gone));
    assertReadable(header);
    const snapshot = header.snapshots.get(snapId);
    if (snapshot === undefined) throw staleError(what);
    const presence = new Presence(async () => {
      await ask(pool, headerObject(imageId), getSize(snapId)).catch(unlessGone(gone));
    });
    const io = new ImageIo({ objecter: cluster.objecter, state: header, snapId, presence, tuning });
    try {
      // The header is read before the map: an object absent from the map has the data of the parent that the header
      // names.
      io.objectMap = await snapshotMap(cluster, header, snapId);
      if (snapshot.parent !== undefined) io.parent = await openParent(cluster, snapshot.parent, tuning);
      return io;
    } catch (error) {
      // It was flattened after its header was read, so the header has changed.
      if (!isStale(error) || attempt === attempts) throw error;
    }
  }
}

const attempts = 5;

function unlessGone(gone: () => never): (error: unknown) => never {
  return (error) => {
    if (hasCode(error, "ENOENT", "SIPHON_RBD_NO_POOL")) gone();
    throw error;
  };
}

/** The object map of a snapshot; undefined if there is no valid one. */
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
