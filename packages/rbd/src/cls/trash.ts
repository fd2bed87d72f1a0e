import { type Reader, readUtime, utimeFromMilliseconds, type Writer, writeUtime } from "@siphon/wire";
import { type ClassCall, change, query } from "./class-call.ts";
import { date } from "./image.ts";

/** Methods of the list of images in the trash, called on `rbd_trash` (src/cls/rbd/cls_rbd.cc). */

/** The reason why an image is in the trash, in the order of the numbers. */
export type TrashSource = "user" | "mirroring" | "migration" | "removing" | "user_parent";
export const trashSources: readonly TrashSource[] = [
  "user",
  "mirroring",
  "migration",
  "removing",
  "user_parent",
];

/** In the order of their numbers; all but `normal` mean that a step has begun and may not have ended. */
const trashStates = ["normal", "moving", "removing", "restoring"] as const;
export type TrashState = (typeof trashStates)[number];

export interface TrashedImage {
  readonly source: TrashSource;
  readonly name: string;
  readonly trashed: Date;
  /** Until then it is removed only by force. */
  readonly keptUntil: Date;
  readonly state: TrashState;
}

/** trash_add: string id, TrashImageSpec. */
export function addToTrash(imageId: string, image: TrashedImage): ClassCall {
  return change("trash_add", (w) => writeTrashed(w.string(imageId), image));
}

export function removeFromTrash(imageId: string): ClassCall {
  return change("trash_remove", (w) => w.string(imageId));
}

export function getTrashed(imageId: string): ClassCall<TrashedImage> {
  return query("trash_get", readTrashed, (w) => w.string(imageId));
}

/** trash_list: string id to start after, u64 how many -> map of id, TrashImageSpec; in the order of ids. */
export function listTrashed(after: string, limit: number): ClassCall<Map<string, TrashedImage>> {
  return query(
    "trash_list",
    (r) =>
      r.map(
        8,
        () => r.string(),
        () => readTrashed(r),
      ),
    (w) => w.string(after).u64(limit),
  );
}

/** trash_state_set: string id, u8 new state, u8 the one it must be in; ESTALE otherwise. */
export function setTrashState(imageId: string, state: TrashState, current: TrashState): ClassCall {
  return change("trash_state_set", (w) =>
    w.string(imageId).u8(trashStates.indexOf(state)).u8(trashStates.indexOf(current)),
  );
}

/**
 * TrashImageSpec (src/cls/rbd/cls_rbd_types.cc): versioned; u8 source, string name, time of removal, time until which it stays,
 * u8 state.
 */
function writeTrashed(w: Writer, { source, name, trashed, keptUntil, state }: TrashedImage): void {
  w.versioned(1, 1, () => {
    w.u8(trashSources.indexOf(source)).string(name);
    writeUtime(w, utimeFromMilliseconds(trashed.getTime()));
    writeUtime(w, utimeFromMilliseconds(keptUntil.getTime()));
    w.u8(trashStates.indexOf(state));
  });
}

function readTrashed(r: Reader): TrashedImage {
  return r.versioned("TrashImageSpec", 1, () => ({
    source: trashSources[r.u8()] ?? "user",
    name: r.string(),
    trashed: date(readUtime(r)),
    keptUntil: date(readUtime(r)),
    state: trashStates[r.u8()] ?? "normal",
  }));
}
