/**
 * The time, read once a turn of the event loop: on virtual machines reading a clock can take 0.1 us and more, and every
 * operation wants to know it.
 */
export class TurnClock {
  readonly #wanted: () => void;
  #now = 0;
  #date = 0;

  /** @param wanted called when a time was read, so that whoever made this clock calls `turnOver` in the end */
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

  /** Ends the turn: the time that was read is old now. */
  turnOver(): void {
    this.#now = 0;
    this.#date = 0;
  }
}
