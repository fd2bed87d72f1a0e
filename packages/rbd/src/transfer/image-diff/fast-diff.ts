import { type Cluster, NO_SNAP } from "@siphon/rados";
import { hasCode } from "../../errors.ts";
import { imageFlag } from "../../header/image-header.ts";
import { has } from "../../image/features.ts";
import { poolById } from "../../image/pools.ts";
import type { ImageState } from "../../image-state.ts";
import type { ImageIo } from "../../io/image-io.ts";
import { objectState } from "../../object-map/object-state.ts";
import type { ObjectStates } from "../../object-map/object-states.ts";
import { StoredObjectMaps } from "../../object-map/stored-object-maps.ts";

/** The change of an object, as a whole, between two snapshots. */
export type ObjectChange = "none" | "data" | "zeros";

/**
 * Changes between two snapshots of an image, from their object maps (src/librbd/object_map/DiffRequest.cc); by object number. No
 * object is queried.
 *
 * @param from 0: since the creation @returns undefined without feature fast-diff, or if a map is invalid
 */
export async function fastDiff(
  cluster: Cluster,
  { state, layout, snapId }: ImageIo,
  from: number,
): Promise<ObjectChange[] | undefined> {
  if (!has(state, "fastDiff")) return undefined;
  const pool = await poolById(cluster, state.poolId, state.namespace);
  const maps = new StoredObjectMaps(pool, state.id);
  const changes: ObjectChange[] = [];
  let before: ObjectStates | undefined;
  let atStart: ObjectStates | undefined;
  for (const id of snapshotsBetween(state, from, snapId)) {
    const { flags, size } = id === NO_SNAP ? state : state.snapshots.get(id)!;
    if ((flags & imageFlag.fastDiffInvalid) !== 0) return undefined;
    const states = await maps.load(id === NO_SNAP ? undefined : id).catch((error) => {
      if (hasCode(error, "ENOENT")) return undefined;
      throw error;
    });
    const count = layout.objectCount(size);
    if (states === undefined || states.size < count) return undefined;
    changes.length = Math.min(changes.length, count);
    for (let number = 0; number < count; number++) {
      const change = id === from ? "none" : changeOf(before, number, states.get(number));
      if (change !== "none" || number >= changes.length) changes[number] = change;
    }
    before = states;
    if (id === from) atStart = states;
  }
  // An object that was created and removed in between is unchanged.
  const was = (number: number) => atStart !== undefined && existed(atStart, number);
  return changes.map((change, number) => (change === "zeros" && !was(number) ? "none" : change));
}

/** All snapshots from the given one, or from the first. */
function snapshotsBetween(state: ImageState, from: number, to: number): number[] {
  const ids = [...state.snapshots.keys()].sort((a, b) => a - b);
  const between = ids.filter((id) => id >= from && (to === NO_SNAP || id <= to));
  return to === NO_SNAP ? [...between, NO_SNAP] : between;
}

function changeOf(before: ObjectStates | undefined, number: number, now: number): ObjectChange {
  const was = before !== undefined && number < before.size ? before.get(number) : objectState.nonexistent;
  if (now === objectState.nonexistent) return was === objectState.nonexistent ? "none" : "zeros";
  if (now === objectState.exists) return "data";
  const isUnchanged = now === was || (was === objectState.exists && now === objectState.existsClean);
  return isUnchanged ? "none" : "data";
}

function existed(states: ObjectStates, number: number): boolean {
  return number < states.size && states.get(number) !== objectState.nonexistent;
}
