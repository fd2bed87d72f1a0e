import type { Cluster, Pool } from "@siphon/rados";
import { errno } from "@siphon/wire";
import { addToDirectory, removeFromDirectory } from "../cls/directory.ts";
import { ask, askPages, changeAll } from "../cls/run.ts";
import {
  addToTrash,
  getTrashed,
  listTrashed,
  removeFromTrash,
  type TrashedImage,
  type TrashState,
} from "../cls/trash.ts";
import { describe, placeOf } from "../describe.ts";
import { assertImageName, takeName } from "../directory/create-image.ts";
import { idOf } from "../directory/find-image.ts";
import { byId, removeTrashed, unlessGone } from "../directory/remove-data.ts";
import { assertRemovable, openToRemove } from "../directory/remove-image.ts";
import { hasCode, RbdError, unless } from "../errors.ts";
import { directoryObject, idObject, trashObject } from "../object-names.ts";
import { onlyFaults } from "../or-undo.ts";
import type { OnProgress } from "../progress.ts";
import { changeTrashState } from "./trash-state.ts";

export interface TrashEntry extends TrashedImage {
  readonly id: string;
}

/**
 * Images in the trash, by id: they have no name in the pool, and are removed later or restored
 * (src/librbd/api/Trash.cc). An interrupted step can be repeated.
 */
export class Trash {
  readonly #cluster: Cluster;
  readonly #pool: Pool;

  constructor(cluster: Cluster, pool: Pool) {
    this.#cluster = cluster;
    this.#pool = pool;
  }

  /** The images in the trash, sorted by id. */
  async list(): Promise<TrashEntry[]> {
    const trashed = await askPages(
      this.#pool,
      trashObject,
      (last: [string, TrashedImage] | undefined, most) => listTrashed(last?.[0] ?? "", most),
    );
    return trashed.map(([id, image]) => ({ id, ...image }));
  }

  /** @throws RbdError SIPHON_RBD_NO_IMAGE */
  async get(id: string): Promise<TrashEntry> {
    try {
      return { id, ...(await ask(this.#pool, trashObject, getTrashed(id))) };
    } catch (error) {
      if (!hasCode(error, "ENOENT")) throw error;
      throw new RbdError(
        "SIPHON_RBD_NO_IMAGE",
        `the trash of pool ${this.#pool.name} has no image with id ${id}`,
        {
          ...{ cause: error, remedy: { name: "list-trash", subject: placeOf(this.#pool) } },
        },
      );
    }
  }

  /**
   * Moves an image into the trash, unless another client has it open for writing.
   *
   * @param keptUntil until then only `force` removes it
   * @param source user_parent: removed with its last clone
   * @returns its id
   */
  async move(name: string, keptUntil?: Date, source: "user" | "user_parent" = "user"): Promise<string> {
    const pool = this.#pool;
    const id = await this.#idToMove(name);
    await this.#refuseIfLocked(id, name);
    const trashed = new Date();
    const entry = {
      source,
      name,
      trashed,
      keptUntil: keptUntil ?? trashed,
      state: "moving",
    } as const;
    // EEXIST: from an interrupted move.
    await changeAll(pool, trashObject, [addToTrash(id, entry)]).catch(unless("EEXIST"));
    await unlessGone(pool.remove(idObject(name)));
    await unlessGone(changeAll(pool, directoryObject, [removeFromDirectory(name, id)]));
    await changeTrashState(this.#pool, id, "normal", "moving");
    return id;
  }

  /**
   * Restores an image under its old name or a new one.
   *
   * @throws RbdError SIPHON_RBD_NO_IMAGE, SIPHON_RBD_EXISTS if the name is taken, SIPHON_RBD_BUSY during another
   * operation on the image
   */
  async restore(id: string, newName?: string): Promise<void> {
    const pool = this.#pool;
    const { name, state, source } = await this.get(id);
    if (source !== "user" && source !== "mirroring" && source !== "user_parent") {
      throw new RbdError(
        "SIPHON_RBD_INVALID",
        `image ${name} was put into the trash by ${source} and cannot be restored`,
      );
    }
    if (state !== "normal" && state !== "restoring") throw this.#underWay(name, state);
    const wanted = newName ?? name;
    assertImageName(wanted);
    await changeTrashState(this.#pool, id, "restoring", state);
    try {
      await takeName(pool, wanted, id);
    } catch (error) {
      // From an interrupted restore.
      const sameImage = (await idOf(pool, wanted).catch(() => undefined)) === id;
      if (!hasCode(error, "SIPHON_RBD_EXISTS") || !sameImage) {
        await changeTrashState(this.#pool, id, "normal", "restoring").catch(onlyFaults);
        throw error;
      }
    }
    await changeAll(pool, directoryObject, [addToDirectory(wanted, id)]).catch(unless("EEXIST"));
    await unlessGone(changeAll(pool, trashObject, [removeFromTrash(id)]));
  }

  /**
   * Removes an image permanently.
   *
   * @param force also before `keptUntil`
   * @throws RbdError SIPHON_RBD_NO_IMAGE; SIPHON_RBD_BUSY before `keptUntil` without `force`, or while it is in use
   */
  async remove(id: string, { force = false, onProgress }: TrashRemoveOptions = {}): Promise<void> {
    const entry = await this.get(id);
    const { name, state } = entry;
    assertDue(entry, force);
    if (state !== "normal" && state !== "removing") throw this.#underWay(name, state);
    const open = openToRemove(this.#cluster);
    await removeTrashed(this.#cluster, open, this.#pool, id, entry, onProgress);
  }

  /** @throws the errors of `remove`; removes nothing */
  async assertRemovable(id: string, force = false): Promise<TrashEntry> {
    const entry = await this.get(id);
    assertDue(entry, force);
    await assertRemovable(this.#cluster, this.#pool, id, entry.name, byId(this.#pool, id, entry.name));
    return entry;
  }

  /** Id of an image, or of one whose move was interrupted. */
  async #idToMove(name: string): Promise<string> {
    try {
      return await idOf(this.#pool, name);
    } catch (error) {
      if (!hasCode(error, "SIPHON_RBD_NO_IMAGE")) throw error;
      const begun = (await this.list()).find((entry) => entry.name === name && entry.state === "moving");
      if (begun === undefined) throw error;
      return begun.id;
    }
  }

  async #refuseIfLocked(id: string, name: string): Promise<void> {
    const image = await openToRemove(this.#cluster)(this.#pool, id, name);
    try {
      if (image.lock === undefined || (await image.lock.whileOwned(async () => {}))) return;
    } finally {
      await image.close();
    }
    throw new RbdError(
      "SIPHON_RBD_BUSY",
      `another client is writing to image ${describe(this.#pool, name)}`,
      {
        ...{ retryable: true, remedy: { name: "list-watchers", subject: describe(this.#pool, name) } },
      },
    );
  }

  #underWay(name: string, state: TrashState): RbdError {
    return new RbdError("SIPHON_RBD_BUSY", `image ${name} is already ${state}`, { retryable: true });
  }
}

export interface TrashRemoveOptions {
  readonly force?: boolean;
  readonly onProgress?: OnProgress;
}

/** @throws RbdError SIPHON_RBD_BUSY for an image whose retention time is not over */
function assertDue({ name, keptUntil }: TrashedImage, force: boolean): void {
  if (force || keptUntil.getTime() <= Date.now()) return;
  throw new RbdError(
    "SIPHON_RBD_BUSY",
    `Deferment time has not expired: image ${name} is to be kept until ${keptUntil.toISOString()}`,
    {
      ...{ errno: -errno.EPERM, remedy: { name: "force" } },
    },
  );
}
