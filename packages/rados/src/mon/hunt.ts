import type { Authenticator } from "../auth/authenticator.ts";
import type { RadosError } from "../errors.ts";
import type { Messenger } from "../messenger/messenger.ts";
import { type Candidate, shuffled } from "./candidates.ts";
import { MonSession, type MonSessionHandler } from "./session.ts";

/** Sessions tried at the same time (mon_client_hunt_parallel). */
const parallel = 3;

export interface HuntEvents {
  found(session: MonSession): void;
  /** Every candidate was tried; the errors are in the order they came. */
  failed(errors: RadosError[]): void;
}

/**
 * One round of looking for a monitor: sessions with a few at a time, in random order. The first that
 * authenticates is kept, the others are closed.
 */
export class Hunt implements Pick<MonSessionHandler, "ready" | "closed"> {
  readonly #messenger: Messenger;
  readonly #authenticator: Authenticator;
  readonly #handler: MonSessionHandler;
  readonly #events: HuntEvents;
  readonly #waiting: Candidate[];
  readonly #trying = new Set<MonSession>();
  readonly #errors: RadosError[] = [];

  /** @param handler takes over the session that is found */
  constructor(
    messenger: Messenger,
    authenticator: Authenticator,
    candidates: readonly Candidate[],
    handler: MonSessionHandler,
    events: HuntEvents,
  ) {
    this.#messenger = messenger;
    this.#authenticator = authenticator;
    this.#handler = handler;
    this.#events = events;
    this.#waiting = shuffled(candidates);
    for (let i = 0; i < parallel; i++) this.#tryNext();
  }

  stop(): void {
    this.#waiting.length = 0;
    for (const session of this.#trying) session.close();
    this.#trying.clear();
  }

  /** For the sessions tried. */
  ready(session: MonSession): void {
    if (!this.#trying.delete(session)) return;
    this.stop();
    this.#events.found(session);
  }

  /** For the sessions tried. */
  closed(session: MonSession, error: RadosError): void {
    if (!this.#trying.delete(session)) {
      this.#handler.closed(session, error);
      return;
    }
    this.#errors.push(error);
    this.#tryNext();
    if (this.#trying.size === 0) this.#events.failed(this.#errors);
  }

  #tryNext(): void {
    const candidate = this.#waiting.shift();
    if (candidate === undefined) return;
    const session = new MonSession(this.#messenger, this.#authenticator, candidate, {
      ready: (ready) => this.ready(ready),
      closed: (closed, error) => this.closed(closed, error),
      message: (from, message) => this.#handler.message(from, message),
    });
    this.#trying.add(session);
  }
}
