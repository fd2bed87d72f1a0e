import type { Limit } from "./disk-limits.ts";

/**
 * A limit: tokens come at its rate and are kept up to a capacity, so that a short burst passes. A request that needs more tokens
 * than there are passes once there is any, and is paid for afterwards: a limit holds for requests of any size.
 */
export class TokenBucket {
  #limit = 0;
  /** Tokens per millisecond. */
  #rate = 0;
  #capacity = 0;
  #tokens = 0;
  #at = 0;

  /** No limit. */
  get isOpen(): boolean {
    return this.#limit === 0;
  }

  /** Tokens that were used stay used. */
  set(limit: number, capacity: number, now: number): void {
    this.#refill(now);
    const wasOpen = this.isOpen;
    this.#limit = limit;
    this.#rate = limit / 1000;
    this.#capacity = capacity;
    this.#tokens = wasOpen ? capacity : Math.min(this.#tokens, capacity);
  }

  /** Milliseconds until something may pass; 0: now. */
  wait(now: number): number {
    if (this.#limit === 0) return 0;
    this.#refill(now);
    return this.#tokens > 0 ? 0 : (least - this.#tokens) / this.#rate;
  }

  take(tokens: number): void {
    if (this.#limit !== 0) this.#tokens -= tokens;
  }

  #refill(now: number): void {
    this.#tokens = Math.min(this.#capacity, this.#tokens + (now - this.#at) * this.#rate);
    this.#at = now;
  }
}

/**
 * A limit with its bursts: one bucket for the long run, which holds as much as a burst may have, and one for the rate within a burst.
 */
export class LimitBuckets {
  readonly #average = new TokenBucket();
  readonly #peak = new TokenBucket();

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

/** Seconds' worth of a rate that may come at once without a burst, as QEMU has it. */
const slack = 0.1;
/** Fraction of a token that must be there for a request to pass. */
const least = 1e-6;
