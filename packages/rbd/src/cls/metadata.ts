import { type ClassCall, change, query } from "./class-call.ts";

/** Methods for an image's metadata (src/cls/rbd/cls_rbd.cc), called on its header. */

/** metadata_list: string after which, u64 how many; gives a map of names to values. */
export function listMetadata(after: string, most: number): ClassCall<Map<string, Buffer>> {
  return query(
    "metadata_list",
    (r) =>
      r.map(
        8,
        () => r.string(),
        () => r.blob(),
      ),
    (w) => w.string(after).u64(most),
  );
}

/** metadata_set: map of names to values. */
export function setMetadata(values: ReadonlyMap<string, string | Buffer>): ClassCall {
  return change("metadata_set", (w) =>
    w.map(values, (each, name, value) =>
      each.string(name).blob(typeof value === "string" ? Buffer.from(value) : value),
    ),
  );
}

/** metadata_get: string name -> bytes; ENOENT for none. */
export function getMetadata(name: string): ClassCall<Buffer> {
  return query(
    "metadata_get",
    (r) => r.blob(),
    (w) => w.string(name),
  );
}

export function removeMetadata(name: string): ClassCall {
  return change("metadata_remove", (w) => w.string(name));
}
