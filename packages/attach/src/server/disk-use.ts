import { throwUnowned } from "@siphon/rados/engine";
import { SiphonError } from "@siphon/wire";

/** The lock of an image, as `Image.locks` has it. */
interface TurnLock {
  keep(keeps: boolean): void;
  acquire(): Promise<void>;
}

/**
 * Who uses a disk that may migrate. The lock is taken when the first begins to, and kept as long as one does; then it goes to whoever asks
 * for it: the server at the VM's next host.
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
