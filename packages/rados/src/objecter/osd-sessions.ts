import type { ClientId } from "../messages/osd-op.ts";
import type { LinkHandler } from "../messenger/link.ts";
import type { OsdMap } from "../osdmap/osdmap.ts";
import type { ObjecterHost, ObjecterListener } from "./objecter-host.ts";
import { OsdSession, type SessionEvents } from "./osd-session.ts";

/** Events for the objecter's requests; others go to listeners and the host. */
export type RequestEvents = Omit<SessionEvents, "lost" | "watchNotify" | "osdmap">;

/** The sessions with OSDs, created on demand, and the listeners to unsolicited messages. */
export class OsdSessions {
  readonly #host: ObjecterHost;
  readonly #client: ClientId;
  readonly #events: SessionEvents;
  readonly #byOsd = new Map<number, OsdSession>();
  readonly #listeners = new Set<ObjecterListener>();

  constructor(host: ObjecterHost, events: RequestEvents) {
    this.#host = host;
    const { globalId } = host.messenger;
    this.#client = { low: Number(globalId & 0xffff_ffffn), high: Number(globalId >> 32n) };
    this.#events = {
      ...events,
      lost: ({ osd }) => {
        for (const listener of [...this.#listeners]) listener.sessionLost?.(osd);
      },
      watchNotify: ({ osd }, event) => {
        for (const listener of [...this.#listeners]) listener.watchNotify?.(event, osd);
      },
      osdmap: (message) => host.osdmaps.take(message),
    };
  }

  with(osd: number): OsdSession {
    const known = this.#byOsd.get(osd);
    if (known !== undefined) return known;
    const connect = (handler: LinkHandler) => this.#host.linkToOsd(osd, handler);
    const session = new OsdSession(osd, this.#host.messenger, this.#client, connect, this.#events);
    this.#byOsd.set(osd, session);
    return session;
  }

  values(): IterableIterator<OsdSession> {
    return this.#byOsd.values();
  }

  listen(listener: ObjecterListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** Ends idle sessions with OSDs that are down. */
  leaveDown(map: OsdMap): void {
    for (const [osd, session] of this.#byOsd) {
      if (map.isUp(osd) || session.requests.size > 0) continue;
      this.#byOsd.delete(osd);
      session.close();
      this.#events.lost(session);
    }
  }

  /** Updates the OSDs' addresses from the newest map. */
  relocate(): void {
    for (const session of [...this.#byOsd.values()]) session.link.relocate();
  }

  close(): void {
    for (const session of this.#byOsd.values()) session.close();
    this.#byOsd.clear();
  }
}
