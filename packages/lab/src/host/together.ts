/**
 * Concurrent tasks that fail together: the first failure aborts the others, and is thrown when all have ended, so that
 * their results can be removed.
 */
export class Together {
  readonly #failed = new AbortController();
  /** The tasks' signal: aborted by the caller's signal and by the first failure. */
  readonly signal: AbortSignal;

  constructor(signal?: AbortSignal) {
    this.signal = signal ? AbortSignal.any([signal, this.#failed.signal]) : this.#failed.signal;
  }

  /** Aborts all tasks with this error, unless they have failed or are done. */
  fail(error: unknown): void {
    this.#failed.abort(error);
  }

  /** The results of all; throws the first failure when all have ended. */
  async all<T extends readonly unknown[]>(work: T): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
    for (const each of work) Promise.resolve(each).catch((error) => this.fail(error));
    await Promise.allSettled(work);
    this.signal.throwIfAborted();
    return (await Promise.all(work)) as { -readonly [K in keyof T]: Awaited<T[K]> };
  }
}
