import { NO_SNAP, type Pool, ReadOperation, SNAP_DIR, type SnapSet } from "@siphon/rados";
import { hasCode } from "../errors.ts";
import { has } from "../image/features.ts";
import type { ImageState } from "../image-state.ts";
import { type EachObjectOptions, eachObject } from "../maintenance/objects.ts";
import { dataObject } from "../object-names.ts";
import { objectState } from "./object-state.ts";
import { ObjectStates } from "./object-states.ts";

/**
 * The correct states of an object map, from the OSDs, object by object (src/librbd/operation/ObjectMapIterate.cc).
 *
 * @param data pool of the image's objects
 * @param snapId NO_SNAP for the current image
 */
export async function foundStates(
  data: Pool,
  image: ImageState,
  snapId: number,
  objects: number,
  how: EachObjectOptions,
): Promise<ObjectStates> {
  const states = new ObjectStates(objects);
  const snapIds = ascendingSnapIds(image);
  const work = async (objectNumber: number) => {
    states.set(objectNumber, await foundState(data, image, snapId, snapIds, objectNumber));
  };
  await eachObject(0, objects, work, how);
  return states;
}

/** The state of one object; `snapIds` as in `stateOf`. */
export async function foundState(
  data: Pool,
  image: ImageState,
  snapId: number,
  snapIds: readonly number[],
  objectNumber: number,
): Promise<number> {
  const snapSet = await clonesOf(data, dataObject(image.objectPrefix, objectNumber));
  if (snapSet === undefined) return objectState.nonexistent;
  return stateOf(snapSet, snapId, snapIds, has(image, "fastDiff"));
}

/** @param snapIds of all snapshots, in ascending order */
export function stateOf(
  { clones, seq }: SnapSet,
  snapId: number,
  snapIds: readonly number[],
  fastDiff: boolean,
): number {
  const firstFrom = (id: number) => snapIds.find((each) => each >= id) ?? NO_SNAP;
  // NO_SNAP counts as the newest, whatever its number.
  const rank = (id: number) => (id === NO_SNAP ? Number.POSITIVE_INFINITY : id);
  for (const clone of clones) {
    const isHead = clone.id === NO_SNAP;
    if (!isHead && clone.snaps.length === 0) continue;
    const first = firstFrom(isHead ? seq + 1 : clone.snaps[0]!);
    const last = isHead ? NO_SNAP : clone.snaps.at(-1)!;
    if (rank(last) < rank(snapId)) continue;
    if (rank(snapId) < rank(first)) break;
    // The same clone already existed at an earlier snapshot.
    return fastDiff && first !== snapId ? objectState.existsClean : objectState.exists;
  }
  return objectState.nonexistent;
}

export function ascendingSnapIds({ snapshots }: Pick<ImageState, "snapshots">): number[] {
  return [...snapshots.keys()].sort((a, b) => a - b);
}

async function clonesOf(pool: Pool, object: string): Promise<SnapSet | undefined> {
  try {
    return (await pool.operate(object, new ReadOperation().listSnaps(), { snapId: SNAP_DIR })).values[0];
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}
