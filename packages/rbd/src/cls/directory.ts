import { type Reader, readUtime } from "@siphon/wire";
import { type ClassCall, change, query } from "./class-call.ts";
import { date } from "./image.ts";

/** Methods about the names of images (src/cls/rbd/cls_rbd.cc): of `rbd_id.NAME`, `rbd_directory`, `rbd_trash`, `rbd_namespace`. */

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

/** Where a namespace or pool that is being removed would be in state 2: nothing may be put into it then. */
export const assertDirectoryReady: ClassCall = change("dir_state_assert", (w) => w.u32(1));

export interface TrashedImage {
  name: string;
  trashed: Date;
}

/**
 * trash_get: string id -> TrashImageSpec (src/cls/rbd/cls_rbd_types.cc): versioned; u32 source, string name, time of removal,
 * time until which it stays.
 */
export function getTrashed(imageId: string): ClassCall<TrashedImage> {
  return query(
    "trash_get",
    (r) =>
      r.versioned("TrashImageSpec", 1, () => {
        r.u8();
        return { name: r.string(), trashed: date(readUtime(r)) };
      }),
    (w) => w.string(imageId),
  );
}

function readStrings(r: Reader): Map<string, string> {
  return r.map(
    8,
    () => r.string(),
    () => r.string(),
  );
}
