import { type Pool, RadosError, type Watch } from "@siphon/rados";
import { SiphonError } from "@siphon/wire";
import { isFenced } from "../errors.ts";
import { persevere } from "../persevere.ts";

export interface HeaderWatchEvents {
  /** A notification of another client; the answer goes back to it. */
  notified(payload: Buffer): Promise<Uint8Array | undefined>;
  /** The watch was lost: notifications may be missed, and others may take this client for dead. */
  lost(): void;
  /** Watching again, or the steps after it, failed; it is retried. */
  failing(error: Error): void;
  /** The header is watched again, under another cookie. Called again if it rejects. */
  renewed(): Promise<void>;
  /** The watch is restored completely. */
  restored(): void;
  /** The header can no longer be watched: this client is on the blocklist, or the image is gone. */
  ended(error: RadosError): void;
}

/** A watch on an image's header, renewed with a new cookie whenever it is lost. */
export class HeaderWatch {
  readonly #pool: Pool;
  readonly #object: string;
  readonly #events: HeaderWatchEvents;
  readonly #closing = new AbortController();
  #watch: Promise<Watch>;
  #isLost = false;
  /** Number of times that the watch was lost. */
  #turn = 0;

  private constructor(pool: Pool, object: string, events: HeaderWatchEvents) {
    this.#pool = pool;
    this.#object = object;
    this.#events = events;
    this.#watch = this.#register();
    this.#watch.catch(() => {});
  }

  static async open(pool: Pool, object: string, events: HeaderWatchEvents): Promise<HeaderWatch> {
    const opened = new HeaderWatch(pool, object, events);
    await opened.#watch;
    return opened;
  }

  /** Cookie of the watch; waits while the watch is renewed. */
  async cookie(): Promise<bigint> {
    return (await this.#watch).cookie;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const watch = await this.#watch.catch(() => undefined);
    await watch?.close().catch(() => {});
  }

  #register(): Promise<Watch> {
    return this.#pool.watch(this.#object, {
      // The notifier gets an empty answer; users of the image see the failure in their own requests.
      notified: (payload) => this.#events.notified(payload).catch(ifKnown),
      lost: () => void this.#renew(),
    });
  }

  async #renew(): Promise<void> {
    const turn = ++this.#turn;
    if (!this.#isLost) this.#events.lost();
    this.#isLost = true;
    const renewed = Promise.withResolvers<Watch>();
    renewed.promise.catch(() => {});
    this.#watch = renewed.promise;
    try {
      renewed.resolve(await this.#until(() => this.#register()));
      await this.#until(() => this.#events.renewed());
    } catch (error) {
      renewed.reject(error);
      if (!this.#closing.signal.aborted) this.#events.ended(error as RadosError);
      return;
    }
    // Lost again meanwhile: the next attempt restores it.
    if (turn !== this.#turn) return;
    this.#isLost = false;
    this.#events.restored();
  }

  #until<T>(action: () => Promise<T>): Promise<T> {
    const unlessClosed = async () => {
      this.#closing.signal.throwIfAborted();
      return action();
    };
    return persevere(unlessClosed, {
      isFinal: (error) => isFenced(error) || isGone(error),
      failing: (error) => this.#events.failing(error),
      signal: this.#closing.signal,
    });
  }
}

/** Ignores a failure of the image or cluster; a fault of this program ends the process. */
function ifKnown(error: unknown): undefined {
  if (!(error instanceof SiphonError)) throw error;
}

function isGone(error: unknown): boolean {
  return error instanceof RadosError && ["ENOENT", "SIPHON_RADOS_CLOSED"].includes(error.code);
}
