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

/** An object of which an object map says something else than the OSDs. */
export interface ObjectMapError {
  readonly objectNumber: number;
  /** `objectState`s; undefined where the map is too short, or not there. */
  readonly marked: number | undefined;
  readonly found: number;
}

/**
 * Compares an image's object map, or a snapshot's, with the objects that there are; a map that is wrong is marked as invalid, for
 * everybody. Takes the image's lock.
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

/** Makes an image's object map, or a snapshot's, say what objects there are; then it counts again. Takes the image's lock. */
export function rebuildObjectMap(
  image: MaintainedImage,
  snapId: number,
  progress?: OnProgress,
): Promise<void> {
  return owned(image, () => rebuildOwnMap(image, snapId, progress));
}

/** The same where the lock is ours. Nothing is written before the map that counts again is the one that writes go by. */
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

/** Does it with the image's lock. */
async function owned(image: MaintainedImage, work: () => Promise<void>): Promise<void> {
  const { header, lock } = assertMapped(image);
  await lock.acquire();
  if (await lock.whileOwned(work)) return;
  throw new RbdError("SIPHON_RBD_BUSY", `another client took the lock of image ${header.name}`, {
    retryable: true,
  });
}

/** @throws RbdError SIPHON_RBD_INVALID for an image without object map */
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
