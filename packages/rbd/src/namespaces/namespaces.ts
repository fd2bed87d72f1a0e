import type { Pool } from "@siphon/rados";
import { assertDirectoryReady, listDirectory, setDirectoryReady } from "../cls/directory.ts";
import { addNamespace, listNamespaces, removeNamespace } from "../cls/namespace.ts";
import { ask, askPages, changeAll } from "../cls/run.ts";
import { listTrashed } from "../cls/trash.ts";
import { unlessGone } from "../directory/remove-data.ts";
import { hasCode, RbdError } from "../errors.ts";
import {
  childrenObject,
  directoryObject,
  groupDirectoryObject,
  namespaceObject,
  trashObject,
} from "../object-names.ts";
import { orUndo } from "../or-undo.ts";

/** The namespaces of a pool, each with its own images (src/librbd/api/Namespace.cc). */
export class Namespaces {
  readonly #pool: Pool;

  /** @param pool of any namespace */
  constructor(pool: Pool) {
    this.#pool = pool.with({ namespace: "" });
  }

  /** In their order. */
  async list(): Promise<string[]> {
    return askPages(this.#pool, namespaceObject, (last: string | undefined, most) =>
      listNamespaces(last ?? "", most),
    );
  }

  /** Reads an object in the namespace itself, because the caps of a user may be limited to it. */
  async exists(name: string): Promise<boolean> {
    try {
      await ask(this.#pool.with({ namespace: name }), directoryObject, assertDirectoryReady);
      return true;
    } catch (error) {
      if (hasCode(error, "ENOENT")) return false;
      throw error;
    }
  }

  /** @throws RbdError SIPHON_RBD_EXISTS if the name is taken, SIPHON_RBD_INVALID for an empty name */
  async create(name: string): Promise<void> {
    if (name === "") throw new RbdError("SIPHON_RBD_INVALID", "a namespace needs a name");
    await changeAll(this.#pool, namespaceObject, [addNamespace(name)]).catch((error) => {
      if (!hasCode(error, "EEXIST")) throw error;
      throw new RbdError("SIPHON_RBD_EXISTS", `pool ${this.#pool.name} already has a namespace ${name}`);
    });
    await orUndo(
      () => changeAll(this.#pool.with({ namespace: name }), directoryObject, [setDirectoryReady(true)]),
      () => changeAll(this.#pool, namespaceObject, [removeNamespace(name)]),
    );
  }

  /** @throws RbdError SIPHON_RBD_BUSY while it has images, including those in the trash */
  async remove(name: string, { dryRun = false } = {}): Promise<void> {
    const within = this.#pool.with({ namespace: name });
    if (!(await this.list()).includes(name)) {
      throw new RbdError("SIPHON_RBD_NO_POOL", `pool ${this.#pool.name} has no namespace ${name}`, {
        remedy: { name: "list-namespaces", subject: this.#pool.name },
      });
    }
    const trashed = await ask(within, trashObject, listTrashed("", 1)).catch((error) => {
      if (hasCode(error, "ENOENT")) return new Map();
      throw error;
    });
    if (trashed.size > 0) throw this.#notEmpty(name);
    const images = await ask(within, directoryObject, listDirectory("", 1)).catch((error) => {
      if (hasCode(error, "ENOENT")) return new Map();
      throw error;
    });
    if (images.size > 0) throw this.#notEmpty(name);
    if (dryRun) return;
    // From now on it accepts no images; this fails if it has images already.
    await unlessGone(changeAll(within, directoryObject, [setDirectoryReady(false)])).catch((error) => {
      throw hasCode(error, "EBUSY") ? this.#notEmpty(name) : error;
    });
    for (const object of [trashObject, childrenObject, groupDirectoryObject, directoryObject])
      await unlessGone(within.remove(object));
    await unlessGone(changeAll(this.#pool, namespaceObject, [removeNamespace(name)]));
  }

  #notEmpty(name: string): RbdError {
    const where = `${this.#pool.name}/${name}`;
    return new RbdError("SIPHON_RBD_BUSY", `namespace ${where} has images`, {
      remedy: { name: "list-all-images", subject: where },
    });
  }
}
