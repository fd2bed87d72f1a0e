import { type Cluster, type Pool, WriteOperation } from "@siphon/rados";
import { assertDirectoryReady, idOfName, nameOfId } from "../cls/directory.ts";
import { addGroup, listGroups, removeGroup, renameGroup } from "../cls/group.ts";
import { ask, askPages, changeAll } from "../cls/run.ts";
import { describe, placeOf } from "../describe.ts";
import { newId } from "../directory/create-image.ts";
import { unlessGone } from "../directory/remove-data.ts";
import { hasCode, RbdError, unless } from "../errors.ts";
import { directoryObject, groupDirectoryObject, groupHeaderObject } from "../object-names.ts";
import { Group } from "./group.ts";
import { assertGroupName } from "./group-name.ts";

/**
 * The groups of a pool, or of a namespace in it: images that are snapshotted at one moment (src/librbd/api/Group.cc).
 * An interrupted step can be repeated.
 */
export class Groups {
  readonly #cluster: Cluster;
  readonly #pool: Pool;

  constructor(cluster: Cluster, pool: Pool) {
    this.#cluster = cluster;
    this.#pool = pool;
  }

  /** Names of the groups, sorted. */
  async list(): Promise<string[]> {
    const groups = await askPages(
      this.#pool,
      groupDirectoryObject,
      (last: [string, string] | undefined, most) => listGroups(last?.[0] ?? "", most),
    );
    return groups.map(([name]) => name);
  }

  /** @throws RbdError SIPHON_RBD_NO_GROUP */
  async open(name: string): Promise<Group> {
    const id = await ask(this.#pool, groupDirectoryObject, idOfName(name)).catch(unless("ENOENT"));
    if (id === undefined) throw this.#missing(name);
    return new Group(this.#cluster, this.#pool, id, name);
  }

  /** @throws RbdError SIPHON_RBD_NO_GROUP */
  async openById(id: string): Promise<Group> {
    const name = await ask(this.#pool, groupDirectoryObject, nameOfId(id)).catch(unless("ENOENT"));
    if (name === undefined) throw this.#missing(`with id ${id}`);
    return new Group(this.#cluster, this.#pool, id, name);
  }

  /** @throws RbdError SIPHON_RBD_EXISTS */
  async create(name: string): Promise<Group> {
    const pool = this.#pool;
    assertGroupName(name);
    await this.#assertNamespace();
    const id = newId(this.#cluster);
    await changeAll(pool, groupDirectoryObject, [addGroup(name, id)]).catch(this.#unlessTaken(name));
    try {
      await pool.operate(groupHeaderObject(id), new WriteOperation().create({ exclusive: true }));
    } catch (error) {
      await changeAll(pool, groupDirectoryObject, [removeGroup(name, id)]).catch(() => {});
      throw error;
    }
    return new Group(this.#cluster, pool, id, name);
  }

  /** @throws RbdError SIPHON_RBD_NO_GROUP, SIPHON_RBD_EXISTS */
  async rename(name: string, newName: string): Promise<void> {
    assertGroupName(newName);
    const { id } = await this.open(name);
    await changeAll(this.#pool, groupDirectoryObject, [renameGroup(name, newName, id)]).catch(
      this.#unlessTaken(newName),
    );
  }

  /** Removes a group with its snapshots; its images stay. */
  async remove(name: string): Promise<void> {
    const pool = this.#pool;
    const group = await this.open(name);
    for (const snapshot of await group.snapshots.list()) await group.snapshots.remove(snapshot.name);
    await group.removeAll();
    await unlessGone(pool.remove(groupHeaderObject(group.id)));
    await unlessGone(changeAll(pool, groupDirectoryObject, [removeGroup(name, group.id)]));
  }

  /** Objects can be written in a namespace that was never created. */
  async #assertNamespace(): Promise<void> {
    const pool = this.#pool;
    if (pool.namespace === "") return;
    await changeAll(pool, directoryObject, [assertDirectoryReady]).catch((error) => {
      if (!hasCode(error, "EBUSY", "ENOENT")) throw error;
      const message = `there is no namespace ${pool.namespace} in pool ${pool.name}`;
      throw new RbdError("SIPHON_RBD_NO_POOL", message, {
        ...{ cause: error, remedy: { name: "create-namespace", subject: `${pool.name}/${pool.namespace}` } },
      });
    });
  }

  #unlessTaken(name: string): (error: unknown) => never {
    return (error) => {
      if (!hasCode(error, "EEXIST")) throw error;
      const message = `group ${describe(this.#pool, name)} already exists`;
      throw new RbdError("SIPHON_RBD_EXISTS", message, { cause: error });
    };
  }

  #missing(name: string): RbdError {
    return new RbdError("SIPHON_RBD_NO_GROUP", `there is no group ${describe(this.#pool, name)}`, {
      remedy: { name: "list-groups", subject: placeOf(this.#pool) },
    });
  }
}
