import { errno } from "@siphon/wire";
import { type LockInfo, lock, unlock } from "../cls/lock.ts";
import { changeAll } from "../cls/run.ts";
import { describe } from "../describe.ts";
import { errnoOf, hasCode, RbdError } from "../errors.ts";
import { breakLockOf, fencingOf, imageLockName, readImageLock } from "../lock/locker.ts";
import type { OpenImage } from "./open-image.ts";

/**
 * The locks on an image: the one that its writer holds (feature exclusive-lock), and those that people take manually (`rbd lock`). Both are
 * locks of class `lock` on the header.
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
   * Waits until this client holds the lock of feature exclusive-lock; returns at once for an image without that feature. Writes do this
   * by themselves.
   *
   * @throws RbdError SIPHON_RBD_LOCKED if the owner keeps it, SIPHON_RBD_BUSY if the image was locked manually
   */
  async acquire(signal?: AbortSignal): Promise<void> {
    await this.#image.lock?.acquire(signal);
  }

  /**
   * Sets whether other clients that ask for the lock are refused it, once it is ours. It starts as `exclusive` of the image's options.
   */
  keep(keeps: boolean): void {
    this.#image.keepLock(keeps);
  }

  /** Releases that lock once the writes in flight are done; the next write acquires it again. */
  async release(): Promise<void> {
    await this.#image.lock?.release();
  }

  /** The locks on the image, those of writers and those set manually. */
  list(): Promise<LockInfo> {
    return readImageLock(this.#image.pool, this.#image.header.id);
  }

  /**
   * Locks the image manually: nobody else can do so, and no client with feature exclusive-lock can write.
   *
   * @param cookie a name for this lock
   * @param tag shares the lock with all who give the same; undefined: the lock is exclusive
   * @throws RbdError SIPHON_RBD_BUSY while somebody has it, this client included (EEXIST)
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
   * @throws RadosError ENOENT for one that this client does not have
   */
  async remove(cookie: string): Promise<void> {
    const { pool, headerName } = this.#image;
    await changeAll(pool, headerName, [unlock(imageLockName, cookie)]);
  }

  /**
   * Takes a lock from another client and puts that client on the blocklist first, so that nothing that its process sends arrives any
   * more, for any image, unless the image's settings say otherwise (rbd_blocklist_on_break_lock). A lock of this client itself is only given back.
   *
   * @param client `client.4123`
   * @param cookie as `list` has it
   * @throws RbdError SIPHON_RBD_INVALID for a lock that is not there
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
