import type { Pool } from "@siphon/rados";
import { breakLock, getLockInfo, type LockDetails, type LockInfo, listLocks, lock } from "../cls/lock.ts";
import { ask, changeAll } from "../cls/run.ts";

/** Options of a lock on an object. */
export interface ObjectLockOptions extends LockDetails {
  /** Default: exclusive. */
  type?: "exclusive" | "shared";
  /** Tells apart several locks of one client. */
  cookie?: string;
  /** A shared lock can be had only with the tag of those who have it. */
  tag?: string;
}

/**
 * Advisory locks on any object of a pool (the class `lock` of OSDs, `rados_lock_*` of librados): they bind only clients
 * that ask for them. A client's lock outlives the client.
 */
export class ObjectLocks {
  readonly #pool: Pool;
  readonly #object: string;

  constructor(pool: Pool, object: string) {
    this.#pool = pool;
    this.#object = object;
  }

  /**
   * The names of the locks, also of those that nobody holds now.
   *
   * @throws RadosError ENOENT if the object does not exist
   */
  list(): Promise<string[]> {
    return ask(this.#pool, this.#object, listLocks());
  }

  /**
   * The clients that hold a lock; of type `none` for a lock that never was.
   *
   * @throws RadosError ENOENT if the object does not exist
   */
  info(name: string): Promise<LockInfo> {
    return ask(this.#pool, this.#object, getLockInfo(name));
  }

  /**
   * Takes a lock. Creates the object if it does not exist.
   *
   * @throws RadosError EBUSY if another client has the lock, EEXIST if this client has it with the same cookie
   */
  async lock(name: string, options: ObjectLockOptions = {}): Promise<void> {
    const { type = "exclusive", cookie = "", tag = "", ...details } = options;
    await changeAll(this.#pool, this.#object, [lock({ name, type, cookie, tag }, details)]);
  }

  /**
   * Ends another client's lock. The client is not told, and not stopped from writing.
   *
   * @param client number of the client
   * @throws RadosError ENOENT if that client does not hold the lock with that cookie
   */
  async break(name: string, client: bigint, cookie = ""): Promise<void> {
    await changeAll(this.#pool, this.#object, [breakLock(name, { client, cookie })]);
  }
}
