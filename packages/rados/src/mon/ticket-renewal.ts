import type { Authenticator } from "../auth/authenticator.ts";

/** Milliseconds until a request without an answer is sent again. */
const retry = 5_000;
/** A monitor that keeps back a ticket is not asked for it in a loop. */
const leastPause = 1_000;
/** The longest time that setTimeout takes. */
const longestTimer = 2 ** 31 - 1;

/** Asks for new tickets in time, while there is a session with a monitor. */
export class TicketRenewal {
  readonly #authenticator: Authenticator;
  readonly #send: (request: Buffer) => boolean;
  #timer: NodeJS.Timeout | undefined;
  /** A request has no answer yet. */
  #asked = false;

  /** @param send gives the request to the monitor; false if there is none */
  constructor(authenticator: Authenticator, send: (request: Buffer) => boolean) {
    this.#authenticator = authenticator;
    this.#send = send;
  }

  /** There is a session: asks for what is missing, and watches over the rest. */
  start(): void {
    clearTimeout(this.#timer);
    const request = this.#authenticator.renewal();
    this.#asked = request !== undefined && this.#send(request);
    if (this.#asked) this.#timer = setTimeout(() => this.start(), retry);
    else this.#later();
  }

  /** A ticket turned out to be of no use: asks at once; only once, however many say so. */
  now(): void {
    if (!this.#asked) this.start();
  }

  /** The monitor has answered. */
  answered(): void {
    this.#asked = false;
    clearTimeout(this.#timer);
    this.#later();
  }

  /** The session is gone. */
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
