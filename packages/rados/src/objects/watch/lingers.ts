import type { RadosError } from "../../errors.ts";
import type { WatchNotify } from "../../messages/watch-notify.ts";
import type { ObjectTarget } from "../../objecter/target.ts";
import { stableMod } from "../../osdmap/object-hash.ts";
import type { OsdMap } from "../../osdmap/osdmap.ts";
import type { Submitter } from "../operation-request.ts";

/**
 * State that an OSD keeps for a client as long as the connection and the PG's interval stay the same, and that must
 * then be renewed: a watch, or a notify that waits for answers.
 */
export interface Linger {
  readonly target: ObjectTarget;
  /** Sends it, or resends it; cancels an unanswered earlier attempt. */
  register(): void;
  /** Confirms it with the OSD. */
  ping?(): void;
  take(message: WatchNotify): void;
  /** It has ended: the client is closed. */
  end(error: RadosError): void;
}

/** All lingering requests of one client, by cookie. */
export class Lingers {
  readonly objecter: Submitter;
  readonly #currentMap: () => OsdMap;
  readonly #byCookie = new Map<bigint, Lingering>();
  #lastCookie = 0n;
  #pings: NodeJS.Timeout | undefined;
  #ended: RadosError | undefined;

  constructor(objecter: Submitter, currentMap: () => OsdMap) {
    this.objecter = objecter;
    this.#currentMap = currentMap;
  }

  nextCookie(): bigint {
    return ++this.#lastCookie;
  }

  /** Sends it, and keeps it alive. */
  add(cookie: bigint, linger: Linger): void {
    if (this.#ended !== undefined) {
      linger.end(this.#ended);
      return;
    }
    this.#byCookie.set(cookie, { linger, ...this.#placed(linger.target) });
    this.#pings ??= setInterval(() => this.ping(), pingInterval);
    linger.register();
  }

  remove(cookie: bigint): void {
    this.#byCookie.delete(cookie);
    if (this.#byCookie.size > 0) return;
    clearInterval(this.#pings);
    this.#pings = undefined;
  }

  /** Passes a message of an OSD to a watcher or notifier. */
  take(message: WatchNotify): void {
    this.#byCookie.get(message.cookie)?.linger.take(message);
  }

  /** A PG with a new interval has lost its lingering requests. */
  mapChanged(): void {
    for (const lingering of [...this.#byCookie.values()]) {
      const { primary, interval } = this.#placed(lingering.linger.target);
      if (interval === lingering.interval) continue;
      Object.assign(lingering, { primary, interval });
      lingering.linger.register();
    }
  }

  connectionLost(osd: number): void {
    for (const { linger, primary } of [...this.#byCookie.values()]) if (primary === osd) linger.register();
  }

  end(error: RadosError): void {
    this.#ended = error;
    clearInterval(this.#pings);
    for (const { linger } of [...this.#byCookie.values()]) linger.end(error);
    this.#byCookie.clear();
  }

  /** Confirms all watches; called every five seconds. */
  ping(): void {
    for (const { linger } of [...this.#byCookie.values()]) linger.ping?.();
  }

  /** The primary of an object, and everything that makes its PG peer again when it changes (PastIntervals::is_new_interval). */
  #placed(target: ObjectTarget): Omit<Lingering, "linger"> {
    const map = this.#currentMap();
    const pool = map.pool(target.poolId);
    if (pool === undefined) return { primary: -1, interval: "" };
    const { seed } =
      target.fixedHash === undefined
        ? map.pgOf(pool, target.name, target)
        : { seed: stableMod(target.fixedHash, pool.pgNum) };
    const { up, upPrimary, acting, actingPrimary } = map.place(pool, seed);
    const { pgNum, pgNumPending, size, minSize, lastForceResend } = pool;
    const parts = [
      seed,
      up,
      upPrimary,
      acting,
      actingPrimary,
      pgNum,
      pgNumPending,
      size,
      minSize,
      lastForceResend,
    ];
    return { primary: actingPrimary, interval: parts.join("/") };
  }
}

interface Lingering {
  linger: Linger;
  primary: number;
  interval: string;
}

/** Milliseconds (objecter_tick_interval). */
const pingInterval = 5_000;
