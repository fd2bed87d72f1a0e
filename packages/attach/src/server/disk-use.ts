import { throwUnowned } from "@siphon/rados/engine";
import { SiphonError } from "@siphon/wire";

/** The lock of an image, as `Image.locks` has it. */
interface TurnLock {
  keep(keeps: boolean): void;
  acquire(): Promise<void>;
}

/**
 * The users of a disk that may migrate. The first one takes the lock, and the last one gives it up; then it goes to the
 * server on the VM's next host, which requests it.
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
    // Before the first write, which would also request the lock, and would report to the VM why it failed.
    this.#lock.acquire().catch((error) => {
      if (!(error instanceof SiphonError)) throwUnowned(error);
    });
  }

  end(user: object): void {
    if (this.#users.delete(user) && this.#users.size === 0) this.#lock.keep(false);
  }
}
