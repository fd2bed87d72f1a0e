import type { EntityAddr } from "@siphon/wire";
import type { Authenticator } from "../auth/authenticator.ts";
import { RadosError } from "../errors.ts";
import { Backoff } from "./backoff.ts";
import { type Connection, sameInstance } from "./connection.ts";
import type { DataSink, IncomingMessage } from "./message.ts";
import type { Messenger } from "./messenger.ts";

/** Events of a link for its owner; all calls come from the event loop. */
export interface LinkHandler {
  /** There is a new connection: send (again) all unanswered requests. */
  ready(connection: Connection): void;
  message(connection: Connection, message: IncomingMessage): void;
  largeMessage?(connection: Connection, message: IncomingMessage): DataSink | undefined;
  drained?(connection: Connection): void;
  /** The connection was lost, or an attempt failed; the next attempt follows automatically. */
  lost(error: RadosError): void;
}

export interface LinkOptions {
  messenger: Messenger;
  authenticator: Authenticator;
  type: "osd" | "mgr";
  /** `osd.3`. */
  name: string;
  /** The daemon's current address; undefined while it is down. */
  locate(): EntityAddr | undefined;
  /** Requests new tickets: the daemon rejected the ticket, or there is none. */
  renewTickets(): void;
}

/**
 * A connection to a daemon that is renewed when it breaks: at once after one that worked for a while, with growing
 * pauses while attempts fail. It resends nothing.
 */
export class Link implements Disposable {
  readonly #options: LinkOptions;
  readonly #handler: LinkHandler;
  readonly #backoff = new Backoff(100, 5_000);
  #connection: Connection | undefined;
  readonly #start: NodeJS.Immediate;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: LinkOptions, handler: LinkHandler) {
    this.#options = options;
    this.#handler = handler;
    // The caller must have the link before its handler is called; a timer would take a millisecond.
    this.#start = setImmediate(() => this.#connect());
  }

  /** The connection, if it is ready. */
  get connection(): Connection | undefined {
    return this.#connection?.isReady ? this.#connection : undefined;
  }

  /** The daemon may have moved or come back: if so, reconnects at once. */
  relocate(): void {
    if (this.#closed) return;
    const addr = this.#options.locate();
    const current = this.#connection;
    if (current !== undefined) {
      if (addr !== undefined && sameInstance(addr, current.peer.addr)) return;
      current.close();
      this.#connection = undefined;
      const reason = `${this.#options.name} ${addr === undefined ? "is down" : "has moved"}`;
      this.#handler.lost(new RadosError("SIPHON_RADOS_CONNECTION", reason, { retryable: true }));
    }
    this.#unschedule();
    this.#connect();
  }

  /** Drops the connection for the owner's reason, and makes a new one. */
  reset(error: RadosError): void {
    this.#connection?.close();
    this.#failed(error, false);
  }

  close(): void {
    this.#closed = true;
    this.#unschedule();
    this.#connection?.close();
    this.#connection = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #connect(): void {
    const { messenger, authenticator, type, name, locate } = this.#options;
    const addr = locate();
    // The daemon is down: `relocate` reports changes.
    if (this.#closed || addr === undefined) return;
    let readySince = Number.POSITIVE_INFINITY;
    try {
      this.#connection = messenger.connect({ type, name, addr }, authenticator.forDaemon(type), {
        ready: (connection) => {
          readySince = performance.now();
          this.#backoff.reset();
          this.#handler.ready(connection);
        },
        message: (connection, message) => this.#handler.message(connection, message),
        largeMessage: (connection, message) => this.#handler.largeMessage?.(connection, message),
        drained: (connection) => this.#handler.drained?.(connection),
        closed: (_, error) => this.#failed(error, performance.now() - readySince > goodConnection),
      });
    } catch (error) {
      if (!(error instanceof RadosError)) throw error;
      this.#failed(error, false);
    }
  }

  #failed(error: RadosError, wasGood: boolean): void {
    this.#connection = undefined;
    if (error.code === "SIPHON_RADOS_AUTH") this.#options.renewTickets();
    this.#handler.lost(error);
    this.#unschedule();
    if (!this.#closed) this.#timer = setTimeout(() => this.#connect(), wasGood ? 0 : this.#backoff.next());
  }

  #unschedule(): void {
    clearImmediate(this.#start);
    clearTimeout(this.#timer);
  }
}

/**
 * Milliseconds. Shorter connections count as failed: a daemon that disconnects at once, or violates the protocol, is
 * retried with pauses.
 */
const goodConnection = 1_000;
