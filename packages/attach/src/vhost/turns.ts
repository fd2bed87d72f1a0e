/** As long as an entry may lie in a ring that nobody kicks for, in milliseconds. */
const longestUnseen = 1;

/**
 * When rings are looked at: once after the completions of a turn of the event loop, before the requests that follow are sent; and while
 * kicks are suppressed, within a millisecond, should no completion come.
 */
export class Turns implements Disposable {
  readonly #turn: () => void;
  #soon = false;
  #watching = false;
  #closed = false;
  readonly #timer: NodeJS.Timeout;

  constructor(turn: () => void) {
    this.#turn = turn;
    this.#timer = setTimeout(this.#overdue, longestUnseen).unref();
    clearTimeout(this.#timer);
  }

  soon(): void {
    if (this.#soon) return;
    this.#soon = true;
    queueMicrotask(this.#run);
  }

  /** Kicks are suppressed somewhere. */
  watch(): void {
    if (this.#watching || this.#closed) return;
    this.#watching = true;
    this.#timer.refresh();
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  readonly #run = (): void => {
    this.#soon = false;
    this.#turn();
  };

  readonly #overdue = (): void => {
    this.#watching = false;
    this.#turn();
  };
}
