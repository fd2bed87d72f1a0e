import { ObjectStates } from "../object-map/object-states.ts";
import { type ClassCall, change, written } from "./class-call.ts";

/** Methods that change an object map as a whole (src/cls/rbd/cls_rbd.cc), called on the map's object. */

export const loadObjectMap: ClassCall<ObjectStates> = {
  ...{ className: "rbd", method: "object_map_load", input: written(undefined) },
  decode: (output) => ObjectStates.decode(output),
};

export function saveObjectMap(states: ObjectStates): ClassCall {
  return change("object_map_save", (w) => w.raw(states.encode()));
}

/** object_map_resize: u64 objects, u8 state of those that come in addition. */
export function resizeObjectMap(objects: number, state: number): ClassCall {
  return change("object_map_resize", (w) => w.u64(objects).u8(state));
}

/** Marks existing objects as clean. */
export const snapAddObjectMap: ClassCall = change("object_map_snap_add");

/**
 * object_map_snap_remove: the removed snapshot's map; objects changed since it count as changed since the previous
 * snapshot.
 */
export function snapRemoveObjectMap(removed: ObjectStates): ClassCall {
  return change("object_map_snap_remove", (w) => w.raw(removed.encode()));
}
