import type { Authenticator } from "../auth/authenticator.ts";
import type { RadosError } from "../errors.ts";
import type { Messenger } from "../messenger/messenger.ts";
import type { Peer } from "../messenger/peer.ts";
import { byPreference, type Candidate, shuffled } from "./candidates.ts";
import { MonSession, type MonSessionHandler } from "./session.ts";

/** Sessions tried at the same time (mon_client_hunt_parallel). */
const parallel = 3;

export interface HuntEvents {
  found(session: MonSession): void;
  /** All candidates have failed; errors in order of arrival. */
  failed(errors: RadosError[]): void;
}

/**
 * One round of the hunt for a monitor: sessions with a few at a time, in random order. The first that authenticates is
 * kept, the others are closed.
 */
export class Hunt implements Pick<MonSessionHandler, "ready" | "closed"> {
  readonly #messenger: Messenger;
  readonly #authenticator: Authenticator;
  readonly #handler: MonSessionHandler;
  readonly #events: HuntEvents;
  /** For each monitor, the addresses not tried yet. */
  readonly #waiting: Peer[][];
  readonly #trying = new Map<MonSession, Peer[]>();
  readonly #errors: RadosError[] = [];

  /** @param handler takes over the found session */
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
    this.#waiting = shuffled(candidates).map(({ name, addrs }) =>
      byPreference(addrs).map((addr) => ({ type: "mon", name, addr })),
    );
    for (let i = 0; i < parallel; i++) this.#tryNext();
  }

  stop(): void {
    this.#waiting.length = 0;
    for (const session of this.#trying.keys()) session.close();
    this.#trying.clear();
  }

  /** For the candidate sessions. */
  ready(session: MonSession): void {
    if (!this.#trying.delete(session)) return;
    this.stop();
    this.#events.found(session);
  }

  /** For the candidate sessions. */
  closed(session: MonSession, error: RadosError): void {
    const others = this.#trying.get(session);
    if (others === undefined) {
      this.#handler.closed(session, error);
      return;
    }
    this.#trying.delete(session);
    this.#errors.push(error);
    this.#waiting.push(others);
    this.#tryNext();
    if (this.#trying.size === 0) this.#events.failed(this.#errors);
  }

  #tryNext(): void {
    const [peer, ...others] = this.#waiting.shift() ?? [];
    if (peer === undefined) {
      if (this.#waiting.length > 0) this.#tryNext();
      return;
    }
    const session = new MonSession(this.#messenger, this.#authenticator, peer, {
      ready: (ready) => this.ready(ready),
      closed: (closed, error) => this.closed(closed, error),
      message: (from, message) => this.#handler.message(from, message),
    });
    this.#trying.set(session, others);
  }
}
