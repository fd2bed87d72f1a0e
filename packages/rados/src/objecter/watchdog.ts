import { RadosError } from "../errors.ts";
import type { OsdSession } from "./osd-session.ts";
import type { ObjectRequest } from "./request.ts";

/** The sessions and requests that the watchdog checks, and its reports. */
export interface Watched {
  requests(): Iterable<ObjectRequest>;
  sessions(): Iterable<OsdSession>;
  /** A request has exceeded its deadline. */
  expired(request: ObjectRequest): void;
  /** An OSD has a newer map, or is unreachable although the map says that it is up. */
  unheard(): void;
  /** Time for periodic retries. */
  retry(): void;
}

/** Milliseconds between checks, the precision of deadlines. */
const interval = 100;
/** Checks between keepalives to silent OSDs (objecter_tick_interval is 5 s). */
const looksPerRound = 50;
/** Rounds without a reply after which a connection is dropped. */
const silentRounds = 6;

/** One timer for all requests, which runs while there are any. */
export class Watchdog {
  /** An OSD reported a newer map. */
  behind = false;
  readonly #watched: Watched;
  #timer: NodeJS.Timeout | undefined;
  #hasDeadlines = false;
  #looks = 0;
  #rounds = new Map<OsdSession, Round>();

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  /** There is a request, perhaps one with a deadline. */
  wake(hasDeadline: boolean): void {
    if (hasDeadline) this.#hasDeadlines = true;
    this.#timer ??= setInterval(() => this.#look(), interval);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#hasDeadlines = false;
    this.#rounds.clear();
  }

  #look(): void {
    const now = performance.now();
    if (this.#hasDeadlines) {
      const late = [...this.#watched.requests()].filter(({ dispatch }) => dispatch.deadline <= now);
      for (const request of late) if (request.dispatch.deadline <= now) this.#watched.expired(request);
    }
    this.#watched.retry();
    if (++this.#looks % looksPerRound === 0) this.#round();
    if (this.#watched.requests()[Symbol.iterator]().next().done) this.stop();
  }

  /** Sends keepalives to silent OSDs, and drops connections without a reply. */
  #round(): void {
    const rounds = new Map<OsdSession, Round>();
    let unreachable = false;
    for (const session of [...this.#watched.sessions()]) {
      const { requests, heard, link, osd } = session;
      if (requests.size === 0) continue;
      const acknowledged = link.connection?.lastKeepaliveAck ?? 0;
      const before = this.#rounds.get(session);
      const isSilent = before?.heard === heard && acknowledged <= before.acknowledged;
      let silent = isSilent ? before.silent + 1 : 0;
      if (silent > 1) unreachable = true;
      if (silent < silentRounds) link.connection?.keepalive();
      else if (link.connection !== undefined) {
        const reason = `osd.${osd} gave no sign of life for ${(silent * interval * looksPerRound) / 1000} s`;
        link.reset(new RadosError("SIPHON_RADOS_TIMEOUT", reason, { retryable: true }));
        silent = 0;
      }
      rounds.set(session, { heard, acknowledged, silent });
    }
    this.#rounds = rounds;
    if (unreachable || this.behind) this.#watched.unheard();
  }
}

/** State of a session in the last round, and the number of rounds without a change. */
interface Round {
  heard: number;
  acknowledged: number;
  silent: number;
}
