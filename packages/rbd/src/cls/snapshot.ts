import type { SnapContext } from "@siphon/rados";
import { Reader, readUtime, type Writer } from "@siphon/wire";
import { type ClassCall, change, query } from "./class-call.ts";
import { date } from "./image.ts";

/** Methods about an image's snapshots, called on its header (src/cls/rbd/cls_rbd.cc). */

/** The purpose of a snapshot; a snapshot in the trash waits until its last clone is gone. */
export type SnapshotNamespace =
  | { readonly type: "user" }
  | GroupSnapshotNamespace
  | { readonly type: "trash"; readonly originalName: string }
  | EncodedNamespace;

/** A namespace kept in encoded form because it is not used here: of a mirror, or of an unknown kind. */
export interface EncodedNamespace {
  readonly type: "mirror" | "unknown";
  /** The number of the type, and what follows it. */
  readonly encoded: Buffer;
}

/** Part of a snapshot of a group. */
export interface GroupSnapshotNamespace {
  readonly type: "group";
  /** The pool of the group; its namespace is the image's. */
  readonly poolId: number;
  readonly groupId: string;
  readonly groupSnapshotId: string;
}

export interface SnapshotInfo {
  id: number;
  namespace: SnapshotNamespace;
  name: string;
  size: number;
  created: Date;
  /** Clones of the second version. */
  childCount: number;
}

/** u64 newest id, list of u64 ids, newest first. */
export const getSnapContext: ClassCall<SnapContext> = query("get_snapcontext", (r) => ({
  seq: r.u64Number(),
  snaps: r.list(8, () => r.u64Number()),
}));

/**
 * snapshot_get: u64 id -> cls::rbd::SnapshotInfo (src/cls/rbd/cls_rbd_types.cc): versioned; u64 id, namespace, string name,
 * u64 size, time, u32 clones.
 */
export function getSnapshot(snapId: number): ClassCall<SnapshotInfo> {
  return query(
    "snapshot_get",
    (r) =>
      r.versioned("SnapshotInfo", 1, () => ({
        id: r.u64Number(),
        namespace: readNamespace(r),
        name: r.string(),
        size: r.u64Number(),
        created: date(readUtime(r)),
        childCount: r.u32(),
      })),
    (w) => w.u64(snapId),
  );
}

/** snapshot_add: string name, u64 id, namespace. */
export function addSnapshot(snapId: number, name: string, namespace: SnapshotNamespace): ClassCall {
  return change("snapshot_add", (w) => writeNamespace(w.string(name).u64(snapId), namespace));
}

export function removeSnapshot(snapId: number): ClassCall {
  return change("snapshot_remove", (w) => w.u64(snapId));
}

/** Keeps a snapshot with clones until the last clone is gone. */
export function trashSnapshot(snapId: number): ClassCall {
  return change("snapshot_trash_add", (w) => w.u64(snapId));
}

/** snapshot_rename: u64 id, string new name. */
export function renameSnapshot(snapId: number, name: string): ClassCall {
  return change("snapshot_rename", (w) => w.u64(snapId).string(name));
}

export const protection = { unprotected: 0, unprotecting: 1, protected: 2 } as const;

export function getProtection(snapId: number): ClassCall<number> {
  return query(
    "get_protection_status",
    (r) => r.u8(),
    (w) => w.u64(snapId),
  );
}

/** set_protection_status: u64 id, u8 `protection`. */
export function setProtection(snapId: number, status: number): ClassCall {
  return change("set_protection_status", (w) => w.u64(snapId).u8(status));
}

/** u64: all ones without a limit. */
export const getSnapshotLimit: ClassCall<number | undefined> = query("snapshot_get_limit", (r) => {
  const limit = r.u64();
  return limit === unlimited ? undefined : Number(limit);
});

export function setSnapshotLimit(limit: number | undefined): ClassCall {
  return change("snapshot_set_limit", (w) => w.u64(limit ?? unlimited));
}

const unlimited = 2n ** 64n - 1n;

/**
 * cls::rbd::SnapshotNamespace: versioned; u32 type, and for groups: i64 pool, string group, string group's snapshot;
 * for the trash: string original name, u32 original type. In the newest release, users' snapshots have no further
 * fields.
 */
export function readNamespace(r: Reader): SnapshotNamespace {
  return r.versioned("SnapshotNamespace", 1, () => {
    const encoded = r.raw(r.remaining);
    const fields = new Reader(encoded, "SnapshotNamespace");
    const type = fields.u32();
    if (type === namespaceType.user) return { type: "user" };
    if (type === namespaceType.group) {
      const [poolId, groupId] = [fields.i64Number(), fields.string()];
      return { type: "group", poolId, groupId, groupSnapshotId: fields.string() };
    }
    if (type === namespaceType.trash) return { type: "trash", originalName: fields.string() };
    const kept = Buffer.from(encoded);
    return { type: type === namespaceType.mirror ? "mirror" : "unknown", encoded: kept };
  });
}

export function writeNamespace(w: Writer, namespace: SnapshotNamespace): void {
  w.versioned(1, 1, () => {
    switch (namespace.type) {
      case "user":
        w.u32(namespaceType.user);
        break;
      case "group":
        w.u32(namespaceType.group)
          .u64(namespace.poolId)
          .string(namespace.groupId)
          .string(namespace.groupSnapshotId);
        break;
      case "trash":
        w.u32(namespaceType.trash).string(namespace.originalName).u32(namespaceType.user);
        break;
      default:
        w.raw(namespace.encoded);
    }
  });
}

/** SnapshotNamespaceType in src/cls/rbd/cls_rbd_types.h. */
const namespaceType = { user: 0, group: 1, trash: 2, mirror: 3 } as const;
