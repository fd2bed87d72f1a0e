import { Writer } from "@siphon/wire";
import type { Authenticator, MonitorAuth } from "../auth/authenticator.ts";
import { writeEntityName } from "../auth/entity-name.ts";
import { RadosError } from "../errors.ts";
import { authMessage, readAuthReply } from "../messages/auth.ts";
import { messageType } from "../messages/types.ts";
import type { Connection, ConnectionHandler } from "../messenger/connection.ts";
import type { IncomingMessage, OutgoingMessage } from "../messenger/message.ts";
import type { Messenger } from "../messenger/messenger.ts";
import { type Peer, peerText } from "../messenger/peer.ts";

export interface MonSessionHandler {
  /** Authenticated: requests may be sent. */
  ready(session: MonSession): void;
  message(session: MonSession, message: IncomingMessage): void;
  /** The session was lost or failed. Not called after `close`. */
  closed(session: MonSession, error: RadosError): void;
}

/**
 * A connection to one monitor, authenticated: with msgr2 in the handshake, with v1 by messages after the connection is
 * open.
 */
export class MonSession implements ConnectionHandler {
  readonly peer: Peer;
  readonly auth: MonitorAuth;
  readonly #authenticator: Authenticator;
  readonly #handler: MonSessionHandler;
  readonly #connection: Connection;
  #stage: "connecting" | "method" | "challenge" | "proof" | "ready" = "connecting";
  #timer: NodeJS.Timeout | undefined;

  constructor(messenger: Messenger, authenticator: Authenticator, peer: Peer, handler: MonSessionHandler) {
    this.peer = peer;
    this.auth = authenticator.forMonitor();
    this.#authenticator = authenticator;
    this.#handler = handler;
    this.#connection = messenger.connect(peer, this.auth, this);
  }

  get isReady(): boolean {
    return this.#stage === "ready" && this.#connection.isReady;
  }

  /** Time of the monitor's last reply, in milliseconds of `performance.now()`. */
  get lastKeepaliveAck(): number {
    return this.#connection.lastKeepaliveAck;
  }

  send(message: OutgoingMessage): void {
    this.#connection.send(message);
  }

  keepalive(): void {
    this.#connection.keepalive();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** For the connection. */
  ready(): void {
    if (this.peer.addr.type !== "legacy") {
      this.#becomeReady();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#fail(this.#error("SIPHON_RADOS_TIMEOUT", "no answer to the authentication"));
    }, messageAuthTimeout);
    this.#stage = "method";
    this.send(authMessage(0, this.#opening()));
  }

  /** For the connection. */
  message(_connection: Connection, message: IncomingMessage): void {
    if (this.#stage === "ready") {
      this.#handler.message(this, message);
      return;
    }
    // Monitors send their map before the end of authentication; the subscription delivers it again.
    if (message.type !== messageType.authReply) return;
    const reply = readAuthReply(message.readFront("MAuthReply"));
    if (reply.result < 0) {
      this.#fail(this.auth.refused(reply.result, [this.auth.method]));
      return;
    }
    if (reply.method !== this.auth.method) {
      this.#fail(this.auth.refused(-95, [reply.method]));
      return;
    }
    if (this.#stage === "method" && this.#authenticates) {
      this.#stage = "proof";
      this.send(authMessage(this.auth.method, this.auth.more(reply.payload)));
      return;
    }
    this.auth.done(reply.globalId, reply.payload);
    this.#becomeReady();
  }

  /** For the connection. */
  closed(_connection: Connection, error: RadosError): void {
    clearTimeout(this.#timer);
    this.#handler.closed(this, error);
  }

  get #authenticates(): boolean {
    return this.#authenticator.renewAfter !== Number.POSITIVE_INFINITY;
  }

  #becomeReady(): void {
    clearTimeout(this.#timer);
    this.#stage = "ready";
    this.#handler.ready(this);
  }

  #fail(error: RadosError): void {
    this.close();
    this.#handler.closed(this, error);
  }

  #error(code: "SIPHON_RADOS_TIMEOUT", reason: string): RadosError {
    return new RadosError(code, `session with ${peerText(this.peer)} failed: ${reason}`, {
      retryable: true,
    });
  }

  /** The first MAuth: u8 1, set of u32 methods, EntityName, u64 global id to restore. */
  #opening(): Buffer {
    const w = new Writer().u8(1).u32(1).u32(this.auth.method);
    writeEntityName(w, this.#authenticator.name);
    return w.u64(this.auth.globalId).finish();
  }
}

const messageAuthTimeout = 10_000;
