import type { LabError } from "../errors.ts";

/** Milliseconds between two checks; a check reads a small file of /proc for each daemon. */
const INTERVAL = 200;

/**
 * Watches a cluster during dependent work: aborts `signal` with the reason when a daemon ends unexpectedly. Disposing
 * of it ends the checks.
 */
export class ClusterWatch implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  /** `look` returns the error to abort with, or undefined while all is well. */
  constructor(look: () => Promise<LabError | undefined>) {
    this.#timer = setInterval(() => void this.#check(look), INTERVAL);
    // The watch does not keep the process alive.
    this.#timer.unref();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #check(look: () => Promise<LabError | undefined>): Promise<void> {
    const error = await look();
    if (!error) return;
    this[Symbol.dispose]();
    this.#controller.abort(error);
  }
}
