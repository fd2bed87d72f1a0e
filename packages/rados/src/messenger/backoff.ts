/**
 * Pauses between attempts: they double up to a limit, with 25 % jitter, so that clients that lost a daemon together do
 * not reconnect together.
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

  /** Resets after a successful attempt. */
  reset(): void {
    this.#pause = this.#first;
  }
}
