/** Keeps other threads out for as long as a few numbers are changed: nothing is waited for while it is held. */
export class SpinLock {
  readonly #word: Int32Array;

  /** @param word memory that the threads share, 0 at first */
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
