import type { Cluster, Pool } from "@siphon/rados";
import { errno } from "@siphon/wire";
import {
  type GroupedSnapshot,
  type GroupMember,
  type GroupSnapshotRecord,
  type GroupSnapshotState,
  listGroupSnapshots,
  removeGroupSnapshot,
  setGroupSnapshot,
} from "../cls/group.ts";
import { askPages, changeAll } from "../cls/run.ts";
import type { GroupSnapshotNamespace } from "../cls/snapshot.ts";
import { describe } from "../describe.ts";
import { newId } from "../directory/create-image.ts";
import { hasCode, RbdError, unless } from "../errors.ts";
import type { HeaderSnapshot } from "../header/image-header.ts";
import type { OpenImage } from "../image/open-image.ts";
import { removeThroughOwner } from "../maintenance/forsaken-snapshots.ts";
import { type Quiescing, whileQuiesced } from "../maintenance/quiesce.ts";
import { createSnapshot, rollBack } from "../maintenance/snapshots.ts";
import { groupHeaderObject } from "../object-names.ts";
import type { OnProgress } from "../progress.ts";
import { assertGroupName } from "./group-name.ts";
import { MemberImages, together } from "./member-images.ts";

/** A snapshot of a group. */
export interface GroupSnapshot {
  readonly id: string;
  readonly name: string;
  /** `incomplete` after an interrupted `create` or `remove`: it can only be removed. */
  readonly state: GroupSnapshotState;
  /** Its parts: the snapshots of the images. */
  readonly images: readonly GroupedSnapshot[];
}

export interface CreateGroupSnapshotOptions {
  /** Default: `required`. */
  readonly quiescing?: Quiescing | undefined;
}

/** The group whose snapshots these are. */
export interface SnapshottedGroup {
  readonly id: string;
  readonly name: string;
  readonly pool: Pool;
  members(): Promise<GroupMember[]>;
}

/**
 * Snapshots of all images of a group, by their names. The group's header lists a snapshot from before the first image
 * has it until after the last image has lost it, so that an interrupted one can be found and removed.
 */
export class GroupSnapshots {
  readonly #cluster: Cluster;
  readonly #group: SnapshottedGroup;
  readonly #header: string;

  constructor(cluster: Cluster, group: SnapshottedGroup) {
    this.#cluster = cluster;
    this.#group = group;
    this.#header = groupHeaderObject(group.id);
  }

  /** The snapshots, sorted by id. */
  async list(): Promise<GroupSnapshot[]> {
    return askPages(this.#group.pool, this.#header, listGroupSnapshots);
  }

  /** The name of the images' snapshots that belong to a snapshot of the group. */
  imageSnapshotName(snapshot: Pick<GroupSnapshot, "id">): string {
    return imageSnapshotName(this.#namespaceOf(snapshot));
  }

  /** @throws RbdError SIPHON_RBD_NO_SNAPSHOT */
  async named(name: string): Promise<GroupSnapshot> {
    const found = (await this.list()).find((snapshot) => snapshot.name === name);
    if (found !== undefined) return found;
    const group = describe(this.#group.pool, this.#group.name);
    throw new RbdError("SIPHON_RBD_NO_SNAPSHOT", `group ${group} has no snapshot ${name}`, {
      remedy: { name: "list-group-snapshots", subject: group },
    });
  }

  /**
   * Takes a snapshot of all images at one moment: it holds exactly the writes acknowledged before. This needs locks
   * (feature exclusive-lock), which it takes first, or writers that quiesce.
   *
   * @throws RbdError SIPHON_RBD_EXISTS, SIPHON_RBD_BUSY, SIPHON_RBD_LOCKED; it then removes the snapshot, or leaves an
   * incomplete one
   */
  async create(name: string, { quiescing = "required" }: CreateGroupSnapshotOptions = {}): Promise<void> {
    assertGroupName(name, "a group's snapshot");
    const members = await this.#group.members();
    const images = members.map(({ poolId, imageId }) => ({ poolId, imageId, snapId: 0 }));
    const record: GroupSnapshotRecord = { id: newId(this.#cluster), name, state: "incomplete", images };
    await this.#store(record);
    try {
      await this.#take(record, quiescing);
    } catch (error) {
      // A snapshot whose removal fails stays listed.
      await this.#removeAll(record).catch(() => {});
      throw error;
    }
  }

  /** Removes a snapshot, also an incomplete one. */
  async remove(name: string): Promise<void> {
    await this.#removeAll(await this.named(name));
  }

  /** @throws RbdError SIPHON_RBD_EXISTS; SIPHON_RBD_INVALID for one that is incomplete */
  async rename(name: string, newName: string): Promise<void> {
    assertGroupName(newName, "a group's snapshot");
    if (newName === name) throw this.#exists(name);
    const record = await this.named(name);
    // The OSD would take an incomplete one for a new one and reject it.
    if (record.state === "incomplete") throw this.#incomplete(name, { errno: -errno.EEXIST });
    await this.#store({ ...record, name: newName });
  }

  /**
   * Rolls all images back, including those that have left the group since, with their locks held throughout. After a
   * crash some images are rolled back; the rollback can be repeated.
   *
   * @throws RbdError SIPHON_RBD_INVALID for an incomplete one, which lacks images
   */
  async rollBack(name: string, { onProgress }: { onProgress?: OnProgress } = {}): Promise<void> {
    const record = await this.named(name);
    if (record.state === "incomplete") throw this.#incomplete(name);
    const wanted = this.#namespaceOf(record);
    await using members = await this.#open(record.images);
    const progress = meanProgress(members.images.length, onProgress);
    await members.whileLocked(async () => {
      const all = members.images.map((image, i) => ({ image, snapshot: snapshotIn(image, wanted), i }));
      await together(all, ({ image, snapshot, i }) =>
        rollBack(image, snapshot, (done, total) => progress(i, done, total)),
      );
    });
  }

  async #take(record: GroupSnapshotRecord, quiescing: Quiescing): Promise<void> {
    const namespace = this.#namespaceOf(record);
    await using members = await this.#open(record.images);
    await whileQuiesced(members.images, quiescing, () =>
      members.whileLocked(async () => {
        const snapshot = { name: imageSnapshotName(namespace), namespace, quiescing: "skipped" as const };
        await together(members.images, (image) => createSnapshot(image, snapshot));
        const images = members.images.map((image) => {
          const { poolId, id: imageId } = image.header;
          return { poolId, imageId, snapId: snapshotIn(image, namespace).id };
        });
        await this.#store({ ...record, state: "complete", images });
      }),
    );
  }

  /** First the images' snapshots that exist, then their record in the group's header. */
  async #removeAll(record: GroupSnapshotRecord): Promise<void> {
    const namespace = this.#namespaceOf(record);
    await using members = await this.#open(record.images, { onlyThere: true });
    await together(members.images, async (image) => {
      const snapshot = findSnapshot(image, namespace);
      if (snapshot !== undefined) await removeThroughOwner(image, snapshot);
    });
    await changeAll(this.#group.pool, this.#header, [removeGroupSnapshot(record.id)]).catch(unless("ENOENT"));
  }

  #open(images: readonly GroupedSnapshot[], options?: { onlyThere: boolean }): Promise<MemberImages> {
    return MemberImages.open(this.#cluster, this.#group.pool.namespace, images, options);
  }

  async #store(record: GroupSnapshotRecord): Promise<void> {
    await changeAll(this.#group.pool, this.#header, [setGroupSnapshot(record)]).catch((error) => {
      throw hasCode(error, "EEXIST") ? this.#exists(record.name) : error;
    });
  }

  #exists(name: string): RbdError {
    const group = describe(this.#group.pool, this.#group.name);
    return new RbdError("SIPHON_RBD_EXISTS", `group ${group} already has a snapshot ${name}`);
  }

  #incomplete(name: string, options?: { errno: number }): RbdError {
    const group = describe(this.#group.pool, this.#group.name);
    return new RbdError("SIPHON_RBD_INVALID", `snapshot ${name} of group ${group} is incomplete`, {
      ...{
        ...options,
        hint: "it can only be removed",
        remedy: { name: "remove-group-snapshot", subject: `${group}@${name}` },
      },
    });
  }

  #namespaceOf({ id: groupSnapshotId }: Pick<GroupSnapshotRecord, "id">): GroupSnapshotNamespace {
    const { pool, id: groupId } = this.#group;
    return { type: "group", poolId: pool.id, groupId, groupSnapshotId };
  }
}

/** The name that librbd gives to an image's part of a group snapshot. */
function imageSnapshotName({ poolId, groupId, groupSnapshotId }: GroupSnapshotNamespace): string {
  return `.group.${poolId.toString(16)}_${groupId}_${groupSnapshotId}`;
}

function findSnapshot(
  { header }: OpenImage,
  { poolId, groupId, groupSnapshotId }: GroupSnapshotNamespace,
): HeaderSnapshot | undefined {
  return [...header.snapshots.values()].find(
    ({ namespace }) =>
      namespace.type === "group" &&
      namespace.poolId === poolId &&
      namespace.groupId === groupId &&
      namespace.groupSnapshotId === groupSnapshotId,
  );
}

function snapshotIn(image: OpenImage, namespace: GroupSnapshotNamespace): HeaderSnapshot {
  const found = findSnapshot(image, namespace);
  if (found !== undefined) return found;
  const message = `image ${image.header.name} no longer has its part of the group snapshot`;
  throw new RbdError("SIPHON_RBD_NO_SNAPSHOT", message);
}

/** The mean progress of several concurrent operations. */
function meanProgress(count: number, onProgress: OnProgress | undefined) {
  const parts = new Array<number>(count).fill(0);
  return (i: number, done: number, total: number) => {
    parts[i] = total === 0 ? 1 : done / total;
    onProgress?.(
      parts.reduce((sum, part) => sum + part, 0),
      count,
    );
  };
}
