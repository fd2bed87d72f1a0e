import { longestTimer } from "@siphon/wire";
import type { Authenticator } from "../auth/authenticator.ts";

/** Milliseconds until an unanswered request is resent. */
const retry = 5_000;
/** Minimum milliseconds between requests for a ticket that a monitor does not grant. */
const leastPause = 1_000;

/** Renews tickets in time, while there is a session with a monitor. */
export class TicketRenewal {
  readonly #authenticator: Authenticator;
  readonly #send: (request: Buffer) => boolean;
  #timer: NodeJS.Timeout | undefined;
  /** Whether a request is pending. */
  #asked = false;

  /** @param send sends the request; false if none is needed */
  constructor(authenticator: Authenticator, send: (request: Buffer) => boolean) {
    this.#authenticator = authenticator;
    this.#send = send;
  }

  /** There is a session: requests missing tickets, and schedules renewals. */
  start(): void {
    clearTimeout(this.#timer);
    const request = this.#authenticator.renewal();
    this.#asked = request !== undefined && this.#send(request);
    if (this.#asked) this.#timer = setTimeout(() => this.start(), retry);
    else this.#later();
  }

  /** A ticket was rejected: requests a new one at once; concurrent calls share one request. */
  now(): void {
    if (!this.#asked) this.start();
  }

  /** The monitor has answered. */
  answered(): void {
    this.#asked = false;
    clearTimeout(this.#timer);
    this.#later();
  }

  /** The session was lost. */
  stop(): void {
    this.#asked = false;
    clearTimeout(this.#timer);
  }

  #later(): void {
    const { renewAfter } = this.#authenticator;
    if (renewAfter === Number.POSITIVE_INFINITY) return;
    const wait = Math.max(renewAfter - performance.now(), leastPause);
    this.#timer = setTimeout(() => this.start(), Math.min(wait, longestTimer));
  }
}
