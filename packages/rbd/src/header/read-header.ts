import { noSnapshots, type Pool } from "@siphon/rados";
import { errno, WireError } from "@siphon/wire";
import { getGroup } from "../cls/group.ts";
import {
  getAccessed,
  getCreated,
  getDataPool,
  getFeatures,
  getFlags,
  getModified,
  getObjectPrefix,
  getOpFeatures,
  getSize,
  getStriping,
} from "../cls/image.ts";
import { getParent, getParentOverlap, type ParentSpec } from "../cls/parent.ts";
import { ask, askAll } from "../cls/run.ts";
import { getProtection, getSnapContext, getSnapshot, protection } from "../cls/snapshot.ts";
import { hasCode, RbdError } from "../errors.ts";
import { imageFeature, type ParentLink } from "../image-state.ts";
import { headerObject, isOldId } from "../object-names.ts";
import type { HeaderSnapshot, ImageHeader } from "./image-header.ts";
import { readOldHeader } from "./old-header.ts";

/**
 * Reads an image's header (src/librbd/image/RefreshRequest.cc).
 *
 * @param pool of the header, with the image's namespace
 * @throws RadosError ENOENT: no image has this id; RbdError SIPHON_RBD_UNSUPPORTED for a size of 2^53 bytes or more,
 * and other values that cannot be represented
 */
export async function readHeader(pool: Pool, id: string, name: string): Promise<ImageHeader> {
  try {
    return isOldId(id) ? await readOldHeader(pool, id, name) : await readConsistently(pool, id, name);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const message = `siphon does not support the header of image ${name}: ${error.message}`;
    const hint = "siphon supports images of up to 8 PiB; use rbd with this one";
    throw new RbdError("SIPHON_RBD_UNSUPPORTED", message, { errno: -errno.EOVERFLOW, cause: error, hint });
  }
}

async function readConsistently(pool: Pool, id: string, name: string): Promise<ImageHeader> {
  for (;;) {
    const header = await readHead(pool, id, name);
    try {
      return { ...header, snapshots: await readSnapshots(pool, header) };
    } catch (error) {
      // A snapshot was removed in between. If the image was, the next attempt fails.
      if (!hasCode(error, "ENOENT")) throw error;
    }
  }
}

type Head = Omit<ImageHeader, "snapshots">;

async function readHead(pool: Pool, id: string, name: string): Promise<Head> {
  const object = headerObject(id);
  const [
    { size, order },
    { features, incompatible: toWrite },
    { incompatible: toRead },
    flags,
    opFeatures,
    snapContext,
    objectPrefix,
    dataPool,
    parentSpec,
    overlap,
    created,
    accessed,
    modified,
    group,
  ] = await askAll(pool, object, [
    ...([
      getSize(),
      getFeatures(false),
      getFeatures(true),
      getFlags(),
      getOpFeatures,
      getSnapContext,
    ] as const),
    ...([getObjectPrefix, getDataPool, getParent, getParentOverlap()] as const),
    ...([getCreated, getAccessed, getModified, getGroup] as const),
  ]);
  const objectSize = 2 ** order;
  const plain = { stripeUnit: objectSize, stripeCount: 1 };
  const striping = (features & imageFeature.striping) !== 0 ? await ask(pool, object, getStriping) : plain;
  return {
    ...{ id, name, format: 2, poolId: pool.id, namespace: pool.namespace },
    ...{ dataPoolId: dataPool < 0 ? pool.id : dataPool, objectPrefix, objectSize, order, ...striping },
    ...{ features, incompatible: { toRead, toWrite }, flags, opFeatures, size },
    snapContext: snapContext.seq === 0 ? noSnapshots : snapContext,
    ...{ parentSpec, parent: linkOf(parentSpec, overlap) },
    ...{ created, accessed, modified, group },
  };
}

async function readSnapshots(pool: Pool, head: Head): Promise<Map<number, HeaderSnapshot>> {
  const snapshots = new Map<number, HeaderSnapshot>();
  await Promise.all(
    head.snapContext.snaps.toReversed().map(async (snapId) => {
      const [info, flags, status, overlap] = await askAll(pool, headerObject(head.id), [
        ...([
          getSnapshot(snapId),
          getFlags(snapId),
          getProtection(snapId),
          getParentOverlap(snapId),
        ] as const),
      ]);
      snapshots.set(snapId, {
        ...{ id: snapId, name: info.name, size: info.size, flags },
        ...{ isProtected: status === protection.protected, protection: status },
        parent: linkOf(head.parentSpec, overlap),
        ...{ namespace: info.namespace, created: info.created, childCount: info.childCount },
      });
    }),
  );
  return snapshots;
}

function linkOf(spec: ParentSpec | undefined, overlap: number | undefined): ParentLink | undefined {
  return spec === undefined || overlap === undefined ? undefined : { ...spec, overlap };
}
