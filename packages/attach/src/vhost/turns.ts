/** As long as an entry may lie in a ring that nobody kicks for, in milliseconds: first, and when nothing was found again and again. */
const shortest = 1;
const longest = 4;

/**
 * When rings are looked at: once after the completions of a turn of the event loop, before the requests that follow are sent; and while
 * kicks are suppressed, within a few milliseconds, should no completion come.
 */
export class Turns implements Disposable {
  readonly #turn: () => boolean;
  #soon = false;
  #watch: NodeJS.Timeout | undefined;
  #wait = shortest;
  #closed = false;

  /** @param turn looks at all rings; returns whether there was anything new in one of them */
  constructor(turn: () => boolean) {
    this.#turn = turn;
  }

  soon(): void {
    if (this.#soon) return;
    this.#soon = true;
    queueMicrotask(this.#run);
  }

  /** Kicks are suppressed somewhere. */
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
    // Completions find what is new by themselves as long as they come often enough.
    this.#wait = this.#turn() ? shortest : Math.min(longest, this.#wait * 2);
  };
}
