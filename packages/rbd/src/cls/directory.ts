import type { Reader } from "@siphon/wire";
import { type ClassCall, change, query } from "./class-call.ts";

/** Methods about the names of images (src/cls/rbd/cls_rbd.cc): of `rbd_id.NAME` and `rbd_directory`. */

export const getId: ClassCall<string> = query("get_id", (r) => r.string());

export function setId(imageId: string): ClassCall {
  return change("set_id", (w) => w.string(imageId));
}

export function nameOfId(imageId: string): ClassCall<string> {
  return query(
    "dir_get_name",
    (r) => r.string(),
    (w) => w.string(imageId),
  );
}

export function idOfName(imageName: string): ClassCall<string> {
  return query(
    "dir_get_id",
    (r) => r.string(),
    (w) => w.string(imageName),
  );
}

/** dir_list: string to start after, u64 how many -> map of name, id; in the order of names. */
export function listDirectory(after: string, limit: number): ClassCall<Map<string, string>> {
  return query("dir_list", readStrings, (w) => w.string(after).u64(limit));
}

export function addToDirectory(imageName: string, imageId: string): ClassCall {
  return change("dir_add_image", (w) => w.string(imageName).string(imageId));
}

export function removeFromDirectory(imageName: string, imageId: string): ClassCall {
  return change("dir_remove_image", (w) => w.string(imageName).string(imageId));
}

/** dir_rename_image: string name, string new name, string id; ESTALE if the id has another name. */
export function renameInDirectory(imageName: string, newName: string, imageId: string): ClassCall {
  return change("dir_rename_image", (w) => w.string(imageName).string(newName).string(imageId));
}

/** dir_state_assert: u8 state (0 ready); EBUSY while the namespace is being removed: nothing may be put into it then. */
export const assertDirectoryReady: ClassCall = change("dir_state_assert", (w) => w.u8(0));

/** dir_state_set: u8 state (0 ready, 1 nothing more may be put into it); EBUSY if it is not empty. */
export function setDirectoryReady(ready: boolean): ClassCall {
  return change("dir_state_set", (w) => w.u8(ready ? 0 : 1));
}

function readStrings(r: Reader): Map<string, string> {
  return r.map(
    8,
    () => r.string(),
    () => r.string(),
  );
}
