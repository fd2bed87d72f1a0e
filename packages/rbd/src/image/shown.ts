import { type Cluster, NO_SNAP, type Pool } from "@siphon/rados";
import { getSize } from "../cls/image.ts";
import { getParentOverlap } from "../cls/parent.ts";
import { ask } from "../cls/run.ts";
import { hasCode, RbdError } from "../errors.ts";
import type { ImageHeader } from "../header/image-header.ts";
import { readOldHeader } from "../header/old-header.ts";
import type { ParentLink } from "../image-state.ts";
import type { ImageIo } from "../io/image-io.ts";
import type { IoTuning } from "../io/io-tuning.ts";
import { isStale, Presence, staleError } from "../io/presence.ts";
import type { ObjectMap } from "../object-map/object-map.ts";
import { headerObject, isOldId } from "../object-names.ts";
import { openParent, sameParent, snapshotMap } from "./parents.ts";

/** Sources of an open image besides its own objects. */
export interface Shown {
  readonly parent: ImageIo | undefined;
  /** Object map of the opened snapshot; undefined for the current image. */
  readonly map: ObjectMap | undefined;
}

/**
 * The parent that a header names, and the object map of the opened snapshot. A map belongs to the parent at the time of
 * loading: it is loaded again whenever the parent changes or is removed.
 *
 * @param before the header with which `io` was opened
 * @param again reload even if nothing changed
 * @param tuning of reads of parents
 */
export async function shownBy(
  cluster: Cluster,
  { snapId, parent, objectMap }: ImageIo,
  before: ImageHeader,
  header: ImageHeader,
  { anew, withoutParents, tuning }: { anew: boolean; withoutParents: boolean; tuning: IoTuning },
): Promise<Shown> {
  const link = parentOf(header, snapId);
  const isSame = !anew && sameParent(link, parentOf(before, snapId));
  if (isSame && (parent !== undefined || link === undefined || withoutParents)) {
    return { parent, map: objectMap };
  }
  return {
    map: snapId === NO_SNAP ? undefined : await snapshotMap(cluster, header, snapId),
    parent: link === undefined || withoutParents ? undefined : await openParent(cluster, link, tuning),
  };
}

interface Opened {
  readonly pool: Pool;
  /** The current state. */
  header(): ImageHeader;
  readonly snapId: number;
  /** It changes without notification, and can be removed while it is read. */
  readonly unwatched: boolean;
}

/** Checks whether the opened state still exists; undefined if its removal would be noticed anyway. */
export function presenceOf({ pool, header, snapId, unwatched }: Opened): Presence | undefined {
  const { id } = header();
  const object = headerObject(id);
  const askSize = isOldId(id)
    ? async () => {
        if (!(await readOldHeader(pool, id, id)).snapshots.has(snapId))
          throw staleError(`snapshot ${snapId}`);
      }
    : async () => void (await ask(pool, object, getSize(snapId)));
  if (snapId !== NO_SNAP) {
    return new Presence(async () => {
      await askSize().catch((error) => {
        if (!hasCode(error, "ENOENT") && !isStale(error)) throw error;
        const message = `the opened snapshot of image ${header().name} no longer exists`;
        throw new RbdError("SIPHON_RBD_NO_SNAPSHOT", message, { cause: error });
      });
    });
  }
  if (!unwatched) return undefined;
  if (isOldId(id)) {
    return new Presence(async () => {
      await pool.stat(object).catch((error) => {
        throw hasCode(error, "ENOENT") ? goneError(header(), error) : error;
      });
    });
  }
  return new Presence(async () => {
    const overlap = await ask(pool, object, getParentOverlap()).catch((error) => {
      throw hasCode(error, "ENOENT") ? goneError(header(), error) : error;
    });
    const isClone = header().parent !== undefined;
    if ((overlap !== undefined) !== isClone) throw staleError(`image ${header().name}`);
  });
}

export function goneError({ name }: ImageHeader, cause: unknown): RbdError {
  return new RbdError("SIPHON_RBD_NO_IMAGE", `image ${name} was removed while it was open`, { cause });
}

function parentOf(header: ImageHeader, snapId: number): ParentLink | undefined {
  return snapId === NO_SNAP ? header.parent : header.snapshots.get(snapId)?.parent;
}
