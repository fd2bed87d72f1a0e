import type { LabError } from "../errors.ts";

/** Milliseconds between two looks; a look reads a small file of /proc for each daemon. */
const INTERVAL = 200;

/**
 * Watches over a cluster while something depends on it: `signal` is aborted, with an error that says what
 * happened, when a daemon ends that nobody stopped. Looking stops when it is disposed of.
 */
export class ClusterWatch implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  /** `look` returns the error to abort with, or undefined while all is well. */
  constructor(look: () => Promise<LabError | undefined>) {
    this.#timer = setInterval(() => void this.#check(look), INTERVAL);
    // Watching alone keeps no process alive.
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
