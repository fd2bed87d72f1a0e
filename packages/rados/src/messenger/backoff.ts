/**
 * Pauses between attempts: each twice as long as the one before, up to a limit, and scattered by a quarter so that
 * clients that lost something together do not come back together.
 */
export class Backoff {
  readonly #first: number;
  readonly #longest: number;
  #pause: number;

  /** Milliseconds. */
  constructor(first = 250, longest = 10_000) {
    this.#first = first;
    this.#longest = longest;
    this.#pause = first;
  }

  /** Milliseconds to wait before the next attempt. */
  next(): number {
    const pause = this.#pause;
    this.#pause = Math.min(this.#longest, 2 * pause);
    return pause * (0.75 + Math.random() / 2);
  }

  /** An attempt went well. */
  reset(): void {
    this.#pause = this.#first;
  }
}
