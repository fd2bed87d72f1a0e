import { errno } from "@siphon/wire";
import { type LockInfo, lock, unlock } from "../cls/lock.ts";
import { changeAll } from "../cls/run.ts";
import { describe } from "../describe.ts";
import { errnoOf, hasCode, RbdError } from "../errors.ts";
import { breakLockOf, fencingOf, imageLockName, readImageLock } from "../lock/locker.ts";
import type { OpenImage } from "./open-image.ts";

/**
 * The locks on an image: the exclusive lock of its writer (feature exclusive-lock), and manual locks (`rbd lock`). Both
 * are locks of class `lock` on the header.
 */
export class Locks {
  readonly #image: OpenImage;

  constructor(image: OpenImage) {
    this.#image = image;
  }

  /** Whether this client holds the lock of feature exclusive-lock. */
  get owned(): boolean {
    return this.#image.lock?.owned ?? false;
  }

  /**
   * Acquires the exclusive lock; returns at once for an image without that feature. Writes do this automatically.
   *
   * @throws RbdError SIPHON_RBD_LOCKED if the owner keeps it, SIPHON_RBD_BUSY if the image was locked manually
   */
  async acquire(signal?: AbortSignal): Promise<void> {
    await this.#image.lock?.acquire(signal);
  }

  /** Sets whether this client keeps the lock when others request it. The initial value is the option `exclusive`. */
  keep(keeps: boolean): void {
    this.#image.keepLock(keeps);
  }

  /** Releases the exclusive lock when the writes in flight are done; the next write acquires it again. */
  async release(): Promise<void> {
    await this.#image.lock?.release();
  }

  /** The locks on the image, of writers and manual ones. */
  list(): Promise<LockInfo> {
    return readImageLock(this.#image.pool, this.#image.header.id);
  }

  /**
   * Locks the image manually: no other client can do so, and no client that uses feature exclusive-lock can write.
   *
   * @param cookie a name for this lock
   * @param tag shares the lock with all clients that give the same tag; undefined: exclusive
   * @throws RbdError SIPHON_RBD_BUSY while a client, including this one (EEXIST), has it
   */
  async add(cookie: string, tag?: string): Promise<void> {
    const { pool, header, headerName } = this.#image;
    const type = tag === undefined ? "exclusive" : "shared";
    const taken = lock({ name: imageLockName, type, cookie, tag: tag ?? "" });
    await changeAll(pool, headerName, [taken]).catch((error) => {
      if (!hasCode(error, "EBUSY", "EEXIST")) throw error;
      const otherTag = tag === undefined ? "" : " with a different tag";
      const message = `image ${header.name}: lock is already held by someone else${otherTag}`;
      throw new RbdError("SIPHON_RBD_BUSY", message, {
        ...{ cause: error, retryable: true, errno: errnoOf(error) },
        remedy: { name: "list-locks", subject: describe(pool, header.name) },
      });
    });
  }

  /**
   * Releases a lock that this client took manually.
   *
   * @param cookie the name given to `add`
   * @throws RadosError ENOENT if this client does not hold it
   */
  async remove(cookie: string): Promise<void> {
    const { pool, headerName } = this.#image;
    await changeAll(pool, headerName, [unlock(imageLockName, cookie)]);
  }

  /**
   * Breaks another client's lock. First puts the client on the blocklist, so that OSDs reject everything that its
   * process sends for any image, unless rbd_blocklist_on_break_lock is false. This client's own lock is only released.
   *
   * @param client `client.4123`
   * @param cookie as in `list`
   * @throws RbdError SIPHON_RBD_INVALID if there is no such lock
   */
  async break(client: string, cookie: string): Promise<void> {
    const { cluster, pool, header } = this.#image;
    if (!/^(client|mon|osd|mds|mgr)\.\d+$/.test(client)) {
      throw new RbdError("SIPHON_RBD_INVALID", `invalid locker ${client}: write it as client.NUMBER`, {
        remedy: { name: "list-locks", subject: describe(pool, header.name) },
      });
    }
    const { lockers } = await this.list();
    const locker = lockers.find((each) => `client.${each.client}` === client && each.cookie === cookie);
    if (locker === undefined) {
      throw new RbdError(
        "SIPHON_RBD_INVALID",
        `image ${header.name} has no lock ${cookie} held by ${client}`,
        {
          errno: -errno.ENOENT,
        },
      );
    }
    await breakLockOf(cluster, pool, header.id, locker, await fencingOf(cluster, pool, header.id));
  }
}
