import { adviceOf, type EntityAddr, SiphonError } from "@siphon/wire";
import { RadosError } from "../errors.ts";
import { FrameAssembly } from "./assembly.ts";
import type { ConnectionAuth, ConnectionMode } from "./auth.ts";
import type { ConnectionEvents } from "./events.ts";
import type { GcmFill } from "./gcm.ts";
import type { MessengerMemory } from "./memory.ts";
import { type DataSink, defaultPriority, IncomingMessage, type OutgoingMessage } from "./message.ts";
import { type Peer, type PeerType, peerText } from "./peer.ts";
import { Region } from "./region.ts";
import type { OpenTransport, Transport } from "./transport.ts";

/** Events of a connection for its owner; all calls come from the event loop. */
export interface ConnectionHandler {
  /** The handshake is done: messages may be sent. */
  ready(connection: Connection): void;
  /** A message was received; valid during the call. */
  message(connection: Connection, message: IncomingMessage): void;
  /**
   * A message is arriving that is too large for one piece: returns a sink for its data. Only header and lengths of the
   * message are set. The sink's data is verified only when `message` is called; if the connection is lost before, it is
   * invalid. Undefined: the message is collected and delivered complete.
   */
  largeMessage?(connection: Connection, message: IncomingMessage): DataSink | undefined;
  /** The network took some of `bytesQueued`. */
  drained?(connection: Connection): void;
  /** The connection is lost; sent messages may or may not have arrived. Not called after `close`. */
  closed(connection: Connection, error: RadosError): void;
}

/** State that the connections of one client share: its `Messenger`. */
export interface ConnectionHost {
  readonly memory: MessengerMemory;
  readonly events: ConnectionEvents;
  readonly openTransport: OpenTransport;
  /** Connection modes allowed, preferred first, by the kind of daemon. */
  readonly modes: Readonly<Record<PeerType, readonly ConnectionMode[]>>;
  readonly signMessages: boolean;
  readonly gcm: GcmFill | undefined;
  /** The newest revision of msgr2 to offer. */
  readonly revision: 0 | 1;
  readonly globalId: bigint;
  readonly addr: EntityAddr;
  /** The announced addresses: its own, optionally preceded by that of a client that it is fenced with. */
  readonly addrs: readonly EntityAddr[];
  nextGlobalSeq(): bigint;
  raiseGlobalSeq(seen: bigint): void;
  learnAddr(seenAs: EntityAddr): void;
  flushSoon(connection: Connection): void;
  noteRead(length: number): void;
  noteFrames(count: number): void;
  forget(connection: Connection): void;
}

/**
 * One connection to a daemon: lossy, like all connections of clients. When it breaks, nothing is resent and no session
 * is resumed: the owner opens a new one and resends unanswered requests. Subclasses implement the two protocol
 * versions.
 */
export abstract class Connection {
  readonly messenger: ConnectionHost;
  readonly peer: Peer;
  /** The memory of the message laid out by `begin`, and the offsets of its parts. */
  region: Region;
  frontAt = 0;
  middleAt = 0;
  dataAt = 0;
  /** Feature bits of the peer, once ready. */
  peerFeatures = 0n;
  /** When the peer last answered a keepalive, in milliseconds of `performance.now()`; 0 for never. */
  lastKeepaliveAck = 0;
  /** Bytes laid out to be sent and not yet taken by the network. */
  bytesQueued = 0;

  protected readonly auth: ConnectionAuth;
  protected readonly incoming = new IncomingMessage();
  protected incomingSeq = 0;
  protected outgoingSeq = 0;
  readonly #handler: ConnectionHandler;
  #transport: Transport | undefined;
  #connectTimer: NodeJS.Timeout | undefined;
  #state: "connecting" | "ready" | "closed" = "connecting";

  readonly #assembly: FrameAssembly;
  /** Bytes of the next write, and the part of them in the connection's own memory. */
  #outgoing: Uint8Array[] = [];
  #chunks: Region[] = [];
  /** Offset in `region` up to which everything is in `outgoing` already. */
  #listed = 0;
  #used = 0;
  /** Whether the messenger will flush this connection at the end of the tick. */
  dirty = false;

  constructor(messenger: ConnectionHost, peer: Peer, auth: ConnectionAuth, handler: ConnectionHandler) {
    this.messenger = messenger;
    this.peer = peer;
    this.auth = auth;
    this.#handler = handler;
    this.region = nothing;
    this.#assembly = new FrameAssembly(messenger.memory, {
      take: (region, start, end) => this.#take(region, start, end),
      incompleteBytes: () => this.incompleteFrameBytes,
    });
  }

  get isReady(): boolean {
    return this.#state === "ready";
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** Dials. Called once, by the messenger. */
  open(timeout: number): void {
    const { address, port } = this.peer.addr;
    this.#connectTimer = setTimeout(() => {
      this.fail(this.error("SIPHON_RADOS_TIMEOUT", `no handshake within ${timeout / 1000} s`));
    }, timeout);
    this.#transport = this.messenger.openTransport(
      { host: address, port, receiveInto: this.messenger.memory.readArea },
      {
        connected: () => this.#guard(() => this.opened()),
        received: (length) => this.#received(length),
        closed: (error) => {
          const reason = error === undefined ? "closed by the peer" : reasonOf(error);
          this.fail(this.error("SIPHON_RADOS_CONNECTION", reason, error));
        },
      },
    );
  }

  /**
   * Lays out a message whose parts have these lengths in bytes: write them into `region` at `frontAt`,
   * `middleAt` and `dataAt`, then call `commit`, all in one turn of the event loop.
   *
   * @param data the data, to send it without a copy; only if the connection `gathers`. It must not change until the
   * message is answered, or the connection is lost
   */
  abstract begin(frontLength: number, middleLength: number, dataLength: number, data?: Uint8Array): void;

  /** Whether data can be sent without a copy. */
  get gathers(): boolean {
    return false;
  }

  /** Completes the message; it is sent together with all others of this tick. */
  abstract commit(type: number, version: number, compatVersion: number, priority: number, tid: number): void;

  /** Sends a keepalive; see `lastKeepaliveAck`. */
  abstract keepalive(): void;

  send(message: OutgoingMessage): void {
    const data = message.data;
    this.begin(message.front.length, 0, data?.length ?? 0);
    this.region.bytes.set(message.front, this.frontAt);
    if (data !== undefined) this.region.bytes.set(data, this.dataAt);
    const { type, version = 1, compatVersion = 1, priority = defaultPriority, tid = 0 } = message;
    this.commit(type, version, compatVersion, priority, tid);
  }

  /** Writes all messages of this tick to the network in one write. */
  flush(): void {
    this.dirty = false;
    if (this.#transport === undefined) return;
    this.#leaveRegion();
    const outgoing = this.#outgoing;
    const chunks = this.#chunks;
    if (outgoing.length === 0) return;
    this.#outgoing = [];
    this.#chunks = [];
    let total = 0;
    for (const bytes of outgoing) total += bytes.length;
    this.#transport.write(outgoing, () => {
      this.bytesQueued -= total;
      for (const chunk of chunks) this.messenger.memory.giveChunk(chunk);
      if (this.#state === "ready") this.#handler.drained?.(this);
    });
  }

  /** Closes the connection; unsent bytes are dropped. */
  close(): void {
    this.#end();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The stream is open. */
  protected abstract opened(): void;

  /**
   * Takes what it can of the bytes from `start` up to `end` of the region and returns where it stopped: at
   * the end, or at the beginning of a frame that is not all there.
   */
  protected abstract receive(region: Region, start: number, end: number): number;

  /** Length on the wire of the frame at which `receive` stopped; 0 if unknown. */
  protected abstract get incompleteFrameBytes(): number;

  /** Forgets keys. */
  protected abstract forget(): void;

  protected becomeReady(): void {
    clearTimeout(this.#connectTimer);
    this.#state = "ready";
    this.lastKeepaliveAck = performance.now();
    this.messenger.events.publish("ready", this.peer);
    this.#handler.ready(this);
  }

  protected deliver(): void {
    this.#handler.message(this, this.incoming);
  }

  protected sinkForLarge(): DataSink | undefined {
    return this.#handler.largeMessage?.(this, this.incoming);
  }

  /** Makes room for `length` bytes in `region` and returns their offset. */
  protected reserve(length: number): number {
    if (this.#state === "closed") throw this.error("SIPHON_RADOS_CONNECTION", "the connection is closed");
    if (this.region === nothing || this.#used + length > this.region.bytes.length) {
      this.#leaveRegion();
      this.region = this.messenger.memory.takeChunk(length);
    }
    const at = this.#used;
    this.#used += length;
    this.bytesQueued += length;
    this.messenger.flushSoon(this);
    return at;
  }

  /** Appends bytes to send without a copy. */
  protected sendInPlace(bytes: Uint8Array): void {
    this.#listRegion();
    this.#outgoing.push(bytes);
    this.bytesQueued += bytes.length;
  }

  /** Closes the connection and reports the reason to the owner. */
  protected fail(error: RadosError): void {
    if (this.#state === "closed") return;
    this.#end();
    this.messenger.events.publish("lost", this.peer, error);
    this.#handler.closed(this, error);
  }

  protected error(
    code: ConstructorParameters<typeof RadosError>[0],
    reason: string,
    cause?: unknown,
  ): RadosError {
    return new RadosError(code, `${this.#prefix}${reason}`, {
      cause,
      retryable: code === "SIPHON_RADOS_CONNECTION" || code === "SIPHON_RADOS_TIMEOUT",
    });
  }

  #end(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    clearTimeout(this.#connectTimer);
    this.#transport?.destroy();
    this.#transport = undefined;
    this.#leaveRegion();
    for (const chunk of this.#chunks) this.messenger.memory.giveChunk(chunk);
    this.#chunks = [];
    this.#outgoing = [];
    this.#assembly.release();
    this.forget();
    this.messenger.forget(this);
  }

  /** Adds the bytes laid out in `region` to the next write. */
  #listRegion(): void {
    if (this.#used > this.#listed) this.#outgoing.push(this.region.bytes.subarray(this.#listed, this.#used));
    this.#listed = this.#used;
  }

  #leaveRegion(): void {
    if (this.region === nothing) return;
    this.#listRegion();
    this.#chunks.push(this.region);
    this.region = nothing;
    this.#listed = 0;
    this.#used = 0;
  }

  #received(length: number): void {
    if (this.#state === "closed") return;
    this.messenger.noteRead(length);
    this.#assembly.received(length);
  }

  /** Drop the rest once received bytes have ended the connection. */
  #take(region: Region, start: number, end: number): number {
    let stopped = end;
    this.#guard(() => {
      stopped = this.receive(region, start, end);
    });
    return this.#state === "closed" ? end : stopped;
  }

  /** An error thrown while the peer's bytes are handled ends this connection, not the process. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof SiphonError)) throw error;
      this.fail(this.#about(error));
    }
  }

  /** Wraps the error with the peer in its message. */
  #about(error: SiphonError): RadosError {
    if (error instanceof RadosError && error.message.startsWith(this.#prefix)) return error;
    const code = error instanceof RadosError ? error.code : "SIPHON_RADOS_PROTOCOL";
    const { message, retryable } = error;
    return new RadosError(code, `${this.#prefix}${message}`, {
      cause: error,
      retryable,
      ...adviceOf(error),
    });
  }

  get #prefix(): string {
    return `connection to ${peerText(this.peer)} failed: `;
  }
}

/** Stands for "no memory taken yet", so that the field is always a Region. */
const nothing = Region.allocate(0);

function reasonOf(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ECONNREFUSED") return "connection refused";
  if (code === "ECONNRESET" || code === "EPIPE") return "reset by the peer";
  return error.message;
}

/** Whether two addresses are the same run of a daemon. */
export function sameInstance(a: EntityAddr, b: EntityAddr): boolean {
  return a.address === b.address && a.port === b.port && a.nonce === b.nonce;
}
