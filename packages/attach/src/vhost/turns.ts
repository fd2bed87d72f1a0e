/** Milliseconds between polls of a ring without kicks: at first, and after repeated polls without a result. */
const shortest = 1;
const longest = 4;

/**
 * Schedules checks of the rings: once after the completions of an event-loop turn, before new requests are sent; and,
 * while kicks are suppressed, within a few milliseconds if no completion comes.
 */
export class Turns implements Disposable {
  readonly #turn: () => boolean;
  #soon = false;
  #watch: NodeJS.Timeout | undefined;
  #wait = shortest;
  #closed = false;

  /** @param turn checks all rings; returns whether one had new requests */
  constructor(turn: () => boolean) {
    this.#turn = turn;
  }

  soon(): void {
    if (this.#soon) return;
    this.#soon = true;
    queueMicrotask(this.#run);
  }

  /** Kicks of some ring are suppressed. */
  watch(): void {
    if (this.#closed) return;
    this.#watch ??= setTimeout(this.#overdue, this.#wait).unref();
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    clearTimeout(this.#watch);
  }

  readonly #run = (): void => {
    this.#soon = false;
    this.#turn();
  };

  readonly #overdue = (): void => {
    this.#watch = undefined;
    // Frequent completions check the rings, so no timer is needed.
    this.#wait = this.#turn() ? shortest : Math.min(longest, this.#wait * 2);
  };
}
