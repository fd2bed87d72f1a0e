/** Options of the wait for more replies before a read, in milliseconds. */
export interface CoalescingOptions {
  /** Whether to wait at all; default true. */
  enabled?: boolean;
  /** Maximum wait; default 0.8. */
  longest?: number;
  /** Minimum number of operations in flight for a wait; default 16. */
  leastInFlight?: number;
}

/**
 * Interrupt moderation for sockets: a wake-up costs more than the work of one reply, so with many operations in flight
 * and small groups of replies the thread sleeps a fraction of a millisecond before the next read. The sleep grows while
 * wake-ups bring few frames relative to the number in flight, and shrinks when they bring so many that the peer may run
 * idle.
 */
export class Coalescing {
  readonly #enabled: boolean;
  readonly #longest: number;
  readonly #leastInFlight: number;
  #wait = 0;

  constructor(options: CoalescingOptions = {}) {
    this.#enabled = options.enabled ?? true;
    this.#longest = options.longest ?? 0.8;
    this.#leastInFlight = options.leastInFlight ?? 16;
  }

  /**
   * @param inFlight operations waiting for a reply
   * @param frames received since the last wake-up
   * @param drained whether this wake-up read all available bytes
   * @returns milliseconds to sleep now; 0 for not at all
   */
  next(inFlight: number, frames: number, drained: boolean): number {
    if (!this.#enabled || inFlight < this.#leastInFlight) {
      this.#wait = 0;
      return 0;
    }
    if (frames * tooFew < inFlight) this.#wait = Math.min(this.#longest, this.#wait + step);
    else if (frames * tooMany > inFlight) this.#wait = Math.max(0, this.#wait - 2 * step);
    return drained && this.#wait >= step ? this.#wait : 0;
  }
}

/** Fewer frames a wake-up than an eighth of what is in flight: sleep longer; more than half: shorter. */
const tooFew = 8;
const tooMany = 2;
const step = 0.05;
