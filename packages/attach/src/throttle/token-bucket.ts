import type { Limit } from "./disk-limits.ts";
import type { SpinLock } from "./spin-lock.ts";

/**
 * A limit: tokens arrive at its rate and are kept up to a capacity, which allows short bursts. A request passes when
 * there is any token; missing ones are paid afterwards, so the limit holds for requests of any size.
 */
export class TokenBucket {
  /** Number of values in its state. */
  static readonly size = 3;
  #limit = 0;
  /** Tokens per millisecond. */
  #rate = 0;
  #capacity = 0;
  /** Tokens, the time of the last update, and the limit that all sharers use. */
  readonly #state: Float64Array;
  readonly #lock: SpinLock | undefined;

  /**
   * @param state state shared by several threads with one limit; by default its own
   * @param lock held while the state is read and changed
   */
  constructor(state: Float64Array = new Float64Array(TokenBucket.size), lock?: SpinLock) {
    this.#state = state;
    this.#lock = lock;
  }

  /** No limit. */
  get isOpen(): boolean {
    return this.#limit === 0;
  }

  /** Used tokens stay used. */
  set(limit: number, capacity: number, now: number): void {
    const state = this.#state;
    this.#lock?.take();
    const wasOpen = state[2] === 0;
    // Another thread may have set the shared limit already, at a rate that this one does not know yet.
    if (wasOpen || this.#limit !== 0) this.#refill(now);
    this.#limit = limit;
    this.#rate = limit / 1000;
    this.#capacity = capacity;
    state[0] = wasOpen ? capacity : Math.min(state[0]!, capacity);
    state[2] = limit;
    this.#lock?.give();
  }

  /** Milliseconds until a request may pass; 0: now. */
  wait(now: number): number {
    if (this.#limit === 0) return 0;
    this.#lock?.take();
    this.#refill(now);
    const tokens = this.#state[0]!;
    this.#lock?.give();
    return tokens > 0 ? 0 : (least - tokens) / this.#rate;
  }

  take(tokens: number): void {
    if (this.#limit === 0) return;
    this.#lock?.take();
    this.#state[0]! -= tokens;
    this.#lock?.give();
  }

  #refill(now: number): void {
    const state = this.#state;
    // Another thread may have updated it a little later.
    const since = Math.max(0, now - state[1]!);
    state[0] = Math.min(this.#capacity, state[0]! + since * this.#rate);
    state[1] = Math.max(now, state[1]!);
  }
}

/**
 * A limit with bursts: one bucket for the average rate, with the capacity of a burst, and one for the rate within a
 * burst.
 */
export class LimitBuckets {
  readonly #average: TokenBucket;
  readonly #peak: TokenBucket;

  constructor(shared?: {
    readonly average: Float64Array;
    readonly peak: Float64Array;
    readonly lock: SpinLock;
  }) {
    this.#average = new TokenBucket(shared?.average, shared?.lock);
    this.#peak = new TokenBucket(shared?.peak, shared?.lock);
  }

  set(limit: Limit | undefined, now: number): void {
    const { rate = 0, burst = 0, burstSeconds = 1 } = limit ?? {};
    const bursts = rate > 0 && burst > rate;
    this.#average.set(rate, bursts ? burst * burstSeconds : rate * slack, now);
    this.#peak.set(bursts ? burst : 0, burst * slack, now);
  }

  get isOpen(): boolean {
    return this.#average.isOpen;
  }

  wait(now: number): number {
    return Math.max(this.#average.wait(now), this.#peak.wait(now));
  }

  take(tokens: number): void {
    this.#average.take(tokens);
    this.#peak.take(tokens);
  }
}

/** Seconds of a rate that may pass at once without a burst, as in QEMU. */
const slack = 0.1;
/** Fraction of a token that must be there for a request to pass. */
const least = 1e-6;
