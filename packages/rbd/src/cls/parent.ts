import { NO_SNAP } from "@siphon/rados";
import type { Reader, Writer } from "@siphon/wire";
import { type ClassCall, change, query } from "./class-call.ts";

/** Methods about a clone and its parent (src/cls/rbd/cls_rbd.cc, cls_rbd_types.cc). */

/** A reference to a parent's snapshot in any pool. */
export interface ParentSpec {
  readonly poolId: number;
  readonly namespace: string;
  readonly imageId: string;
  readonly snapId: number;
}

export interface ChildSpec {
  readonly poolId: number;
  readonly namespace: string;
  readonly imageId: string;
}

/** On the clone's header: undefined without a parent. */
export const getParent: ClassCall<ParentSpec | undefined> = query("parent_get", (r) => {
  const spec = r.versioned("ParentImageSpec", 1, () => ({
    poolId: r.i64Number(),
    namespace: r.string(),
    imageId: r.string(),
    snapId: r.i64Number(),
  }));
  return spec.poolId < 0 ? undefined : spec;
});

/** parent_overlap_get: u64 snapshot -> u8 whether there is one, u64 bytes. */
export function getParentOverlap(snapId = NO_SNAP): ClassCall<number | undefined> {
  return query(
    "parent_overlap_get",
    (r) => (r.bool() ? r.u64Number() : undefined),
    (w) => w.u64(snapId),
  );
}

/** parent_attach: ParentImageSpec, u64 overlap, u8 whether it was attached before. */
export function attachParent(parent: ParentSpec, overlap: number): ClassCall {
  return change("parent_attach", (w) => {
    w.versioned(1, 1, () =>
      w.u64(parent.poolId).string(parent.namespace).string(parent.imageId).u64(parent.snapId),
    );
    w.u64(overlap).bool(false);
  });
}

export const detachParent: ClassCall = change("parent_detach");

/** child_attach, on the parent's header: u64 snapshot, ChildImageSpec. A clone of the second version. */
export function attachChild(snapId: number, child: ChildSpec): ClassCall {
  return change("child_attach", (w) => writeChild(w.u64(snapId), child));
}

export function detachChild(snapId: number, child: ChildSpec): ClassCall {
  return change("child_detach", (w) => writeChild(w.u64(snapId), child));
}

/** children_list: u64 snapshot -> list of ChildImageSpec; ENOENT for none. */
export function listChildren(snapId: number): ClassCall<ChildSpec[]> {
  return query(
    "children_list",
    (r) => r.list(6, () => readChild(r)),
    (w) => w.u64(snapId),
  );
}

/** add_child, on the clone's pool's `rbd_children`: the parent, string id. A clone of the first version. */
export function addOldChild(parent: ParentSpec, childId: string): ClassCall {
  return change("add_child", (w) => writeOldParent(w, parent).string(childId));
}

export function removeOldChild(parent: ParentSpec, childId: string): ClassCall {
  return change("remove_child", (w) => writeOldParent(w, parent).string(childId));
}

/** get_children -> list of string ids; ENOENT for none. */
export function listOldChildren(parent: ParentSpec): ClassCall<string[]> {
  return query(
    "get_children",
    (r) => r.list(4, () => r.string()),
    (w) => writeOldParent(w, parent),
  );
}

function writeOldParent(w: Writer, { poolId, imageId, snapId }: ParentSpec): Writer {
  return w.u64(poolId).string(imageId).u64(snapId);
}

/** ChildImageSpec: versioned; i64 pool, string id, string namespace since version 2. */
function writeChild(w: Writer, { poolId, imageId, namespace }: ChildSpec): void {
  w.versioned(2, 1, () => w.u64(poolId).string(imageId).string(namespace));
}

function readChild(r: Reader): ChildSpec {
  return r.versioned("ChildImageSpec", 2, (_, version) => {
    const poolId = r.i64Number();
    const imageId = r.string();
    return { poolId, imageId, namespace: version >= 2 ? r.string() : "" };
  });
}
