/**
 * Work done side by side that stands or falls together: the first failure aborts the rest, and is thrown only
 * when nothing of it goes on any more, so that what was begun can be removed.
 */
export class Together {
  readonly #failed = new AbortController();
  /** For all the work to heed: aborted by the caller's signal and by the first failure. */
  readonly signal: AbortSignal;

  constructor(signal?: AbortSignal) {
    this.signal = signal ? AbortSignal.any([signal, this.#failed.signal]) : this.#failed.signal;
  }

  /** Aborts all the work with this error, unless it has failed before or is done. */
  fail(error: unknown): void {
    this.#failed.abort(error);
  }

  /** The results of all; throws the first failure of all, once all have ended. */
  async all<T extends readonly unknown[]>(work: T): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
    for (const each of work) Promise.resolve(each).catch((error) => this.fail(error));
    await Promise.allSettled(work);
    this.signal.throwIfAborted();
    return (await Promise.all(work)) as { -readonly [K in keyof T]: Awaited<T[K]> };
  }
}
