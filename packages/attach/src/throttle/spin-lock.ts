/** Excludes other threads while a few numbers are changed. The holder never waits. */
export class SpinLock {
  readonly #word: Int32Array;

  /** @param word shared memory, initially 0 */
  constructor(word: Int32Array) {
    this.#word = word;
  }

  take(): void {
    while (Atomics.compareExchange(this.#word, 0, 0, 1) !== 0);
  }

  give(): void {
    Atomics.store(this.#word, 0, 0);
  }
}
