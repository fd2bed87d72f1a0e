import { throwUnowned } from "@siphon/rados/engine";
import { SiphonError } from "@siphon/wire";

/** The lock of an image, as `Image.locks` has it. */
interface TurnLock {
  keep(keeps: boolean): void;
  acquire(): Promise<void>;
}

/**
 * The users of a disk that may migrate. The lock is taken with the first of them, and kept until the last has ended; then it goes to the
 * server at the VM's next host, which asks for it.
 */
export class DiskUse {
  readonly #lock: TurnLock;
  readonly #users = new Set<object>();

  constructor(lock: TurnLock) {
    this.#lock = lock;
  }

  begin(user: object): void {
    if (this.#users.has(user)) return;
    this.#users.add(user);
    if (this.#users.size > 1) return;
    this.#lock.keep(true);
    // Ahead of the first write, which would ask for the lock as well, and tells the VM why it could not be had.
    this.#lock.acquire().catch((error) => {
      if (!(error instanceof SiphonError)) throwUnowned(error);
    });
  }

  end(user: object): void {
    if (this.#users.delete(user) && this.#users.size === 0) this.#lock.keep(false);
  }
}
