import { type ClassCall, change, query } from "./class-call.ts";

/** Methods of the list of a pool's namespaces, called on `rbd_namespace` (src/cls/rbd/cls_rbd.cc). */

export function addNamespace(name: string): ClassCall {
  return change("namespace_add", (w) => w.string(name));
}

export function removeNamespace(name: string): ClassCall {
  return change("namespace_remove", (w) => w.string(name));
}

/** namespace_list: string to start after, u64 how many -> list of strings, in their order. */
export function listNamespaces(after: string, limit: number): ClassCall<string[]> {
  return query(
    "namespace_list",
    (r) => r.list(4, () => r.string()),
    (w) => w.string(after).u64(limit),
  );
}
