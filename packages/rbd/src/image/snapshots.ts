import { changeAll } from "../cls/run.ts";
import { setSnapshotLimit } from "../cls/snapshot.ts";
import { describe } from "../describe.ts";
import { RbdError } from "../errors.ts";
import { type HeaderSnapshot, snapshotsByAge, userSnapshot } from "../header/image-header.ts";
import { removeThroughOwner } from "../maintenance/forsaken-snapshots.ts";
import { type Quiescing, quiescingFlags } from "../maintenance/quiesce.ts";
import { flattenChildren, rollBack } from "../maintenance/snapshots.ts";
import type { OnProgress } from "../progress.ts";
import type { OpenImage } from "./open-image.ts";

type Task =
  | { type: "snapCreate"; name: string; flags: number }
  | { type: "snapRename"; name: string; snapId: number }
  | { type: "snapProtect" | "snapUnprotect"; name: string };

export interface ProgressOptions {
  onProgress?: OnProgress;
}

export interface RemoveSnapshotOptions extends ProgressOptions {
  force?: boolean | undefined;
}

export interface CreateSnapshotOptions extends ProgressOptions {
  /** Default: `required`. */
  quiescing?: Quiescing | undefined;
}

/** The snapshots of an image, by name. The owner of the image's lock makes the changes, at this client's request. */
export class Snapshots {
  readonly #image: OpenImage;

  constructor(image: OpenImage) {
    this.#image = image;
  }

  /** Snapshots made by users, oldest first. */
  list(): HeaderSnapshot[] {
    return this.all().filter(({ namespace }) => namespace.type === "user");
  }

  /** All snapshots, including those of groups and mirrors, and removed ones that clones still need. */
  all(): HeaderSnapshot[] {
    return snapshotsByAge(this.#image.header);
  }

  /** Takes a snapshot. It holds exactly the writes that were acknowledged before the call. */
  async create(
    name: string,
    { quiescing = "required", onProgress }: CreateSnapshotOptions = {},
  ): Promise<void> {
    await this.#perform({ type: "snapCreate", name, flags: quiescingFlags[quiescing] }, onProgress);
  }

  /**
   * Removes a snapshot.
   *
   * @param force first copies its data into its clones, and unprotects it
   * @throws RbdError SIPHON_RBD_BUSY for a protected snapshot
   */
  async remove(name: string, { force = false, onProgress }: RemoveSnapshotOptions = {}): Promise<void> {
    const snapshot = this.named(name);
    if (force) await flattenChildren(this.#image, snapshot.id, onProgress);
    if (this.named(name).protection !== 0) {
      if (!force) throw isProtected(this.#image, name);
      await this.unprotect(name);
    }
    await removeThroughOwner(this.#image, snapshot);
  }

  /**
   * Removes a snapshot of any kind by its id, also one in the trash that no longer has clones.
   *
   * @throws RbdError SIPHON_RBD_BUSY for a protected snapshot
   */
  async removeById(id: number): Promise<void> {
    const { header } = this.#image;
    const snapshot = header.snapshots.get(id);
    if (snapshot === undefined) throw noSnapshot(this.#image, `with id ${id}`);
    if (snapshot.protection !== 0) throw isProtected(this.#image, snapshot.name);
    await removeThroughOwner(this.#image, snapshot);
  }

  /**
   * Removes all unprotected snapshots.
   *
   * @returns names of the protected snapshots, which stay
   */
  async purge({ onProgress }: ProgressOptions = {}): Promise<string[]> {
    const all = this.list();
    const { kept = [], removed = [] } = Object.groupBy(all, ({ protection }) =>
      protection === 0 ? "removed" : "kept",
    );
    for (const [done, { name }] of removed.toReversed().entries()) {
      await this.remove(name);
      onProgress?.(done + 1, all.length);
    }
    return kept.map(({ name }) => name);
  }

  async rename(name: string, to: string): Promise<void> {
    const { id: snapId } = this.named(name);
    await this.#perform({ type: "snapRename", snapId, name: to });
  }

  async protect(name: string): Promise<void> {
    this.named(name);
    await this.#perform({ type: "snapProtect", name });
  }

  /** @throws RbdError SIPHON_RBD_BUSY while it has clones of the first version */
  async unprotect(name: string): Promise<void> {
    this.named(name);
    await this.#perform({ type: "snapUnprotect", name });
  }

  /**
   * Rolls the image back to a snapshot. Acquires the lock first.
   *
   * @throws RbdError SIPHON_RBD_NO_SNAPSHOT, SIPHON_RBD_READ_ONLY, SIPHON_RBD_BUSY if another client takes the lock
   */
  async rollBack(name: string, { onProgress }: ProgressOptions = {}): Promise<void> {
    const image = this.#image;
    image.assertOpen();
    if (image.readOnly)
      throw new RbdError("SIPHON_RBD_READ_ONLY", `image ${image.header.name} was opened read-only`);
    const snapshot = this.named(name);
    const action = () => rollBack(image, snapshot, onProgress);
    if (image.lock === undefined) return action();
    await image.lock.acquire();
    if (await image.lock.whileOwned(action)) return;
    throw new RbdError("SIPHON_RBD_BUSY", `another client took the lock of image ${image.header.name}`, {
      retryable: true,
    });
  }

  /** @param limit maximum number of snapshots; undefined for any number */
  async setLimit(limit: number | undefined): Promise<void> {
    const { pool, headerName } = this.#image;
    // The OSD checks the limit for each new snapshot, so the lock's owner is not involved.
    await changeAll(pool, headerName, [setSnapshotLimit(limit)]);
  }

  async #perform(task: Task, onProgress?: OnProgress): Promise<void> {
    const { requests } = this.#image;
    const id = await requests.newId();
    await requests.perform({ namespace: { type: "user" }, ...task, id }, onProgress);
  }

  /**
   * @param name of a user snapshot, or the id of any
   * @throws RbdError SIPHON_RBD_NO_SNAPSHOT
   */
  named(name: string | number): HeaderSnapshot {
    const { header } = this.#image;
    const found = typeof name === "number" ? header.snapshots.get(name) : userSnapshot(header, name);
    if (found !== undefined) return found;
    throw noSnapshot(this.#image, typeof name === "number" ? `with id ${name}` : name);
  }
}

function noSnapshot({ pool, header }: OpenImage, name: string): RbdError {
  return new RbdError("SIPHON_RBD_NO_SNAPSHOT", `image ${header.name} has no snapshot ${name}`, {
    remedy: { name: "list-snapshots", subject: describe(pool, header.name) },
  });
}

function isProtected({ pool, header }: OpenImage, name: string): RbdError {
  return new RbdError(
    "SIPHON_RBD_BUSY",
    `snapshot '${name}' is protected from removal: ${header.name}@${name}`,
    {
      remedy: { name: "unprotect-snapshot", subject: `${describe(pool, header.name)}@${name}` },
    },
  );
}
