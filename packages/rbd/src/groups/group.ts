import type { Cluster, Pool } from "@siphon/rados";
import { errno } from "@siphon/wire";
import type { ClassCall } from "../cls/class-call.ts";
import {
  type GroupedImage,
  type GroupMember,
  type GroupSpec,
  getGroup,
  joinGroup,
  leaveGroup,
  listMembers,
  type MemberState,
  removeMember,
  setMember,
} from "../cls/group.ts";
import { ask, askPages, changeAll } from "../cls/run.ts";
import { describe } from "../describe.ts";
import { idOf, nameInTrash, nameOf } from "../directory/find-image.ts";
import { hasCode, RbdError, unless } from "../errors.ts";
import { poolById } from "../image/pools.ts";
import { groupHeaderObject, headerObject } from "../object-names.ts";
import { tellHeaderUpdate } from "../watch/tell-header-update.ts";
import { GroupSnapshots, type SnapshottedGroup } from "./group-snapshots.ts";

/** An image of a group. */
export interface GroupImage {
  readonly pool: string;
  readonly poolId: number;
  readonly namespace: string;
  /** Name of the image; its id, if the image is gone. */
  readonly name: string;
  readonly id: string;
  /** Whether the image is in the trash; it stays in the group. */
  readonly trash: boolean;
  /** `incomplete` after an interrupted `add` or `remove`, which can be repeated. */
  readonly state: MemberState;
}

/**
 * Images that are snapshotted together at one moment. An image is in at most one group, of any pool, in the image's
 * namespace.
 */
export class Group implements SnapshottedGroup {
  readonly name: string;
  readonly id: string;
  readonly pool: Pool;
  readonly snapshots: GroupSnapshots;
  readonly #cluster: Cluster;
  readonly #spec: GroupSpec;
  readonly #header: string;

  /** @param id of the group; `Groups.open` finds it by its name */
  constructor(cluster: Cluster, pool: Pool, id: string, name: string) {
    this.name = name;
    this.id = id;
    this.pool = pool;
    this.#cluster = cluster;
    this.#spec = { poolId: pool.id, groupId: id };
    this.#header = groupHeaderObject(id);
    this.snapshots = new GroupSnapshots(cluster, this);
  }

  /** The images of the group, sorted by pool and id. */
  async images(): Promise<GroupImage[]> {
    const members = await this.members();
    return Promise.all(
      members.map(async (member) => ({ ...(await this.named(member)), state: member.state })),
    );
  }

  /** An image of the group or of its snapshot, with its current name. */
  async named({ poolId, imageId: id }: GroupedImage): Promise<Omit<GroupImage, "state">> {
    const { namespace } = this.pool;
    const pool = await this.#poolOf(poolId);
    const listed = pool && (await nameOf(pool, id));
    const trashed = pool && listed === undefined ? await nameInTrash(pool, id) : undefined;
    const poolName = pool?.name ?? String(poolId);
    return {
      ...{ pool: poolName, poolId, namespace, id, trash: trashed !== undefined },
      name: listed ?? trashed ?? id,
    };
  }

  /** The members as the group's header lists them. */
  async members(): Promise<GroupMember[]> {
    return askPages(this.pool, this.#header, listMembers);
  }

  /**
   * Adds an image.
   *
   * @param from the image's pool; default: the group's pool
   * @throws RbdError SIPHON_RBD_EXISTS if it is in another group
   */
  async add(imageName: string, from: { readonly pool: Pool } = this): Promise<void> {
    const { pool } = from;
    this.#assertNamespace(pool);
    const imageId = await idOf(pool, imageName);
    const image = { poolId: pool.id, imageId };
    await this.#change(setMember({ ...image, state: "incomplete" }));
    try {
      await changeAll(pool, headerObject(imageId), [joinGroup(this.#spec)]);
    } catch (error) {
      await this.#change(removeMember(image)).catch(() => {});
      if (!hasCode(error, "EEXIST")) throw error;
      const message = `image ${describe(pool, imageName)} is already in another group`;
      throw new RbdError("SIPHON_RBD_EXISTS", message, {
        ...{ cause: error, remedy: { name: "show-image", subject: describe(pool, imageName) } },
      });
    }
    await tellHeaderUpdate(pool, imageId);
    await this.#change(setMember({ ...image, state: "attached" }));
  }

  /** Removes an image from the group; the group's snapshots keep their part of it. Does nothing if it is in no group. */
  async remove(imageName: string, from: { readonly pool: Pool } = this): Promise<void> {
    this.#assertNamespace(from.pool);
    await this.removeById(await idOf(from.pool, imageName), from);
  }

  /**
   * Removes an image by its id, also one that is in the trash, or gone.
   *
   * @throws RbdError SIPHON_RBD_INVALID for an image of another group
   */
  async removeById(imageId: string, from: { readonly pool: Pool } = this): Promise<void> {
    this.#assertNamespace(from.pool);
    const image = { poolId: from.pool.id, imageId };
    const isMember = (await this.members()).some((member) => isSame(member, image));
    if (!isMember && (await this.#isElsewhere(from.pool, imageId))) {
      const name = (await nameOf(from.pool, imageId)) ?? imageId;
      const what = describe(from.pool, name);
      throw new RbdError("SIPHON_RBD_INVALID", `image ${what} is in another group, not in ${this.name}`, {
        ...{ errno: -errno.EBADF, remedy: { name: "show-image", subject: what } },
      });
    }
    await this.#detach(from.pool, image);
  }

  /** Removes all images from the group; the images stay. */
  async removeAll(): Promise<void> {
    for (const image of await this.members()) await this.#detach(await this.#poolOf(image.poolId), image);
  }

  async #detach(pool: Pool | undefined, { poolId, imageId }: GroupedImage): Promise<void> {
    await this.#change(setMember({ poolId, imageId, state: "incomplete" }));
    if (pool !== undefined) {
      // ENOENT: it was never added, or is gone; EBADF: it was never added here, but to another group.
      await changeAll(pool, headerObject(imageId), [leaveGroup(this.#spec)]).catch(unless("ENOENT", "EBADF"));
      await tellHeaderUpdate(pool, imageId);
    }
    await this.#change(removeMember({ poolId, imageId }));
  }

  /** Undefined if the pool was deleted. */
  #poolOf(poolId: number): Promise<Pool | undefined> {
    return poolById(this.#cluster, poolId, this.pool.namespace).catch(unless("SIPHON_RBD_NO_POOL"));
  }

  async #isElsewhere(pool: Pool, imageId: string): Promise<boolean> {
    const group = await ask(pool, headerObject(imageId), getGroup).catch(unless("ENOENT"));
    return group !== undefined && (group.groupId !== this.id || group.poolId !== this.pool.id);
  }

  #change(call: ClassCall): Promise<void> {
    return changeAll(this.pool, this.#header, [call]);
  }

  #assertNamespace({ namespace }: Pool): void {
    if (namespace === this.pool.namespace) return;
    throw new RbdError("SIPHON_RBD_INVALID", "a group can only have images of its own namespace");
  }
}

function isSame(a: GroupedImage, b: GroupedImage): boolean {
  return a.poolId === b.poolId && a.imageId === b.imageId;
}
