import type { Reader, Writer } from "@siphon/wire";
import { type ClassCall, change, query } from "./class-call.ts";

/**
 * Methods about groups of images (src/cls/rbd/cls_rbd.cc, cls_rbd_types.cc): of `rbd_group_directory`, of a group's own header, and of the
 * headers of the images. Ids and names of groups are found by the methods of the images' directory.
 */

/** A reference to a group in any pool, in the namespace of the image that holds it. */
export interface GroupSpec {
  readonly poolId: number;
  readonly groupId: string;
}

export interface GroupedImage {
  readonly poolId: number;
  readonly imageId: string;
}

/** In the order of their numbers; `incomplete`: adding or removing the image has begun and may not have ended. */
export type MemberState = "attached" | "incomplete";
const memberStates: readonly MemberState[] = ["attached", "incomplete"];

export interface GroupMember extends GroupedImage {
  readonly state: MemberState;
}

/** In the order of their numbers. */
export type GroupSnapshotState = "incomplete" | "complete";
const groupSnapshotStates: readonly GroupSnapshotState[] = ["incomplete", "complete"];

export interface GroupedSnapshot extends GroupedImage {
  /** Id of the image's snapshot; 0 while it is not known. */
  readonly snapId: number;
}

export interface GroupSnapshotRecord {
  readonly id: string;
  readonly name: string;
  readonly state: GroupSnapshotState;
  readonly images: readonly GroupedSnapshot[];
}

/** group_dir_list: string to start after, u64 how many -> map of name, id; in the order of names. */
export function listGroups(after: string, limit: number): ClassCall<Map<string, string>> {
  return query(
    "group_dir_list",
    (r) =>
      r.map(
        8,
        () => r.string(),
        () => r.string(),
      ),
    (w) => w.string(after).u64(limit),
  );
}

export function addGroup(name: string, groupId: string): ClassCall {
  return change("group_dir_add", (w) => w.string(name).string(groupId));
}

export function removeGroup(name: string, groupId: string): ClassCall {
  return change("group_dir_remove", (w) => w.string(name).string(groupId));
}

/** group_dir_rename: string name, string new name, string id; EEXIST if the new name is taken. */
export function renameGroup(name: string, newName: string, groupId: string): ClassCall {
  return change("group_dir_rename", (w) => w.string(name).string(newName).string(groupId));
}

/** On the group's header. */
export function setMember(member: GroupMember): ClassCall {
  return change("group_image_set", (w) =>
    w.versioned(1, 1, () => {
      writeImage(w, member).u8(memberStates.indexOf(member.state));
    }),
  );
}

export function removeMember(image: GroupedImage): ClassCall {
  return change("group_image_remove", (w) => writeImage(w, image));
}

/** group_image_list: GroupImageSpec to start after, u64 how many -> list of GroupImageStatus; by pool and id. */
export function listMembers(after: GroupedImage | undefined, limit: number): ClassCall<GroupMember[]> {
  return query(
    "group_image_list",
    (r) => r.list(6, () => readMember(r)),
    (w) => writeImage(w, after ?? { poolId: -1, imageId: "" }).u64(limit),
  );
}

/** On the image's header; EEXIST if the image is in another group. */
export function joinGroup(group: GroupSpec): ClassCall {
  return change("image_group_add", (w) => writeGroup(w, group));
}

/** EBADF if the image is in another group, ENOENT if it is in none. */
export function leaveGroup(group: GroupSpec): ClassCall {
  return change("image_group_remove", (w) => writeGroup(w, group));
}

/** On the image's header: undefined if it is in no group. */
export const getGroup: ClassCall<GroupSpec | undefined> = query("image_group_get", (r) => {
  const group = r.versioned("GroupSpec", 1, () => ({ poolId: r.i64Number(), groupId: r.string() }));
  return group.poolId < 0 ? undefined : group;
});

/** On the group's header; EEXIST if another snapshot has that name. */
export function setGroupSnapshot(record: GroupSnapshotRecord): ClassCall {
  return change("group_snap_set", (w) => writeRecord(w, record));
}

export function removeGroupSnapshot(id: string): ClassCall {
  return change("group_snap_remove", (w) => w.string(id));
}

/** group_snap_list: GroupSnapshot to start after, u64 how many -> list of GroupSnapshot; in the order of ids. */
export function listGroupSnapshots(
  after: GroupSnapshotRecord | undefined,
  limit: number,
): ClassCall<GroupSnapshotRecord[]> {
  return query(
    "group_snap_list",
    (r) => r.list(6, () => readRecord(r)),
    (w) => writeRecord(w, after ?? { id: "", name: "", state: "incomplete", images: [] }).u64(limit),
  );
}

/** GroupSpec: versioned; i64 pool, string id. */
function writeGroup(w: Writer, { poolId, groupId }: GroupSpec): Writer {
  return w.versioned(1, 1, () => w.u64(poolId).string(groupId));
}

/** GroupImageSpec: versioned; string id, i64 pool. */
function writeImage(w: Writer, { poolId, imageId }: GroupedImage): Writer {
  return w.versioned(1, 1, () => w.string(imageId).u64(poolId));
}

/** GroupImageStatus: versioned; GroupImageSpec, u8 state. */
function readMember(r: Reader): GroupMember {
  return r.versioned("GroupImageStatus", 1, () => {
    const image = r.versioned("GroupImageSpec", 1, () => ({ imageId: r.string(), poolId: r.i64Number() }));
    return { ...image, state: memberStates[r.u8()] ?? "incomplete" };
  });
}

/**
 * GroupSnapshot: versioned; string id, string name, u8 state, list of ImageSnapshotSpec (versioned: i64 pool, string id, u64
 * snapshot).
 */
function writeRecord(w: Writer, { id, name, state, images }: GroupSnapshotRecord): Writer {
  return w.versioned(1, 1, () =>
    w
      .string(id)
      .string(name)
      .u8(groupSnapshotStates.indexOf(state))
      .list(images, (each, image) =>
        each.versioned(1, 1, () => each.u64(image.poolId).string(image.imageId).u64(image.snapId)),
      ),
  );
}

function readRecord(r: Reader): GroupSnapshotRecord {
  return r.versioned("GroupSnapshot", 1, () => {
    const [id, name] = [r.string(), r.string()];
    const state = groupSnapshotStates[r.u8()] ?? "incomplete";
    const images = r.list(6, () =>
      r.versioned("ImageSnapshotSpec", 1, () => ({
        ...{ poolId: r.i64Number(), imageId: r.string(), snapId: r.i64Number() },
      })),
    );
    return { id, name, state, images };
  });
}
