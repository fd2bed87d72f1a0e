/**
 * The time, read once per turn of the event loop: on virtual machines reading a clock can take 0.1 us and more, and
 * every operation needs it.
 */
export class TurnClock {
  readonly #wanted: () => void;
  #now = 0;
  #date = 0;

  /** @param wanted called when a time was read, so that the clock's owner calls `turnOver` at the end of the turn */
  constructor(wanted: () => void) {
    this.#wanted = wanted;
  }

  /** `performance.now()` of this turn. */
  get now(): number {
    if (this.#now === 0) {
      this.#now = performance.now();
      this.#wanted();
    }
    return this.#now;
  }

  /** `Date.now()` of this turn. */
  get date(): number {
    if (this.#date === 0) {
      this.#date = Date.now();
      this.#wanted();
    }
    return this.#date;
  }

  /** Ends the turn: the next call reads the clock again. */
  turnOver(): void {
    this.#now = 0;
    this.#date = 0;
  }
}
