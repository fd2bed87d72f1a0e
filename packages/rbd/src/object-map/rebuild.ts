import { NO_SNAP } from "@siphon/rados";
import { setFlags } from "../cls/image.ts";
import { hasCode, RbdError } from "../errors.ts";
import { imageFlag } from "../header/image-header.ts";
import { has } from "../image/features.ts";
import { poolById } from "../image/pools.ts";
import type { MaintainedImage } from "../maintenance/maintained-image.ts";
import { atOnce } from "../maintenance/objects.ts";
import type { OnProgress } from "../progress.ts";
import { foundStates } from "./found-states.ts";
import type { ObjectStates } from "./object-states.ts";

/** An object whose state in a map differs from the OSDs' answer. */
export interface ObjectMapError {
  readonly objectNumber: number;
  /** `objectState`s; undefined if the map is too short or missing. */
  readonly marked: number | undefined;
  readonly found: number;
}

/**
 * Compares the object map of an image or snapshot with the objects, and marks a wrong map as invalid. Takes the image's
 * lock.
 *
 * @param snapId NO_SNAP for the image as it is now
 */
export async function checkObjectMap(
  image: MaintainedImage,
  snapId: number,
  progress?: OnProgress,
): Promise<ObjectMapError[]> {
  const errors: ObjectMapError[] = [];
  const compare = async () => {
    const found = await look(image, snapId, progress);
    const known = await image.maps.load(snapId === NO_SNAP ? undefined : snapId).catch((error) => {
      if (hasCode(error, "ENOENT")) return undefined;
      throw error;
    });
    for (let objectNumber = 0; objectNumber < found.size; objectNumber++) {
      const marked = known !== undefined && objectNumber < known.size ? known.get(objectNumber) : undefined;
      const is = found.get(objectNumber);
      if (marked !== is) errors.push({ objectNumber, marked, found: is });
    }
    if (errors.length > 0) await image.invalidateMap(snapId === NO_SNAP ? undefined : snapId);
  };
  await owned(image, () => image.whilePaused(compare));
  return errors;
}

/** Rebuilds the object map of an image or snapshot from its objects, and marks it as valid. Takes the image's lock. */
export function rebuildObjectMap(
  image: MaintainedImage,
  snapId: number,
  progress?: OnProgress,
): Promise<void> {
  return owned(image, () => rebuildOwnMap(image, snapId, progress));
}

/** Rebuilds while this client has the lock. Writes wait until they use the new map. */
export async function rebuildOwnMap(
  image: MaintainedImage,
  snapId: number,
  progress?: OnProgress,
): Promise<void> {
  assertMapped(image);
  await image.whilePaused(async () => {
    const states = await look(image, snapId, progress);
    await image.maps.save(states, snapId === NO_SNAP ? undefined : snapId);
    const flags = imageFlag.objectMapInvalid | imageFlag.fastDiffInvalid;
    await image.changeHeader(setFlags(0, flags, snapId));
    await image.refresh();
    await image.reloadMap();
  });
  await image.tell({ type: "headerUpdate" });
}

/** Calls a function with the image's lock. */
async function owned(image: MaintainedImage, work: () => Promise<void>): Promise<void> {
  const { header, lock } = assertMapped(image);
  await lock.acquire();
  if (await lock.whileOwned(work)) return;
  throw new RbdError("SIPHON_RBD_BUSY", `another client took the lock of image ${header.name}`, {
    retryable: true,
  });
}

/** @throws RbdError SIPHON_RBD_INVALID for an image without an object map */
function assertMapped({ header, lock }: MaintainedImage) {
  if (has(header, "objectMap") && lock !== undefined) return { header, lock };
  throw new RbdError("SIPHON_RBD_INVALID", `image ${header.name} has no object map`);
}

async function look(image: MaintainedImage, snapId: number, progress?: OnProgress): Promise<ObjectStates> {
  const { cluster, header, io } = image;
  const size = snapId === NO_SNAP ? header.size : header.snapshots.get(snapId)!.size;
  const data = await poolById(cluster, header.dataPoolId, header.namespace);
  return foundStates(data, header, snapId, io.layout.objectCount(size), { progress, atOnce: atOnce(image) });
}
