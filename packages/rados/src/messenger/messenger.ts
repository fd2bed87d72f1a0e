import { randomInt } from "node:crypto";
import { blankAddr, type EntityAddr } from "@siphon/wire";
import { RadosError } from "../errors.ts";
import type { ConnectionAuth, ConnectionMode } from "./auth.ts";
import { Coalescing, type CoalescingOptions } from "./coalescing.ts";
import type { Connection, ConnectionHandler, ConnectionHost } from "./connection.ts";
import { ConnectionEvents } from "./events.ts";
import type { GcmFill } from "./gcm.ts";
import { MessengerMemory } from "./memory.ts";
import type { Peer, PeerType } from "./peer.ts";
import { type OpenTransport, openTcp } from "./transport.ts";
import { TurnClock } from "./turn-clock.ts";
import { ConnectionV1 } from "./v1/connection.ts";
import { ConnectionV2 } from "./v2/connection.ts";

export interface MessengerOptions {
  /** Connection modes allowed, preferred first, by the kind of daemon. */
  modes: Record<PeerType, readonly ConnectionMode[]>;
  /** Milliseconds from dialling to the end of the handshake; default 10,000. */
  connectTimeout?: number;
  /** Whether to sign and check messages of protocol v1 (cephx_sign_messages); default true. */
  signMessages?: boolean;
  coalescing?: CoalescingOptions;
  /** AES-GCM implementation; default: the fastest available. */
  gcm?: GcmFill;
  /** The newest revision of msgr2 to offer; default 1. */
  revision?: 0 | 1;
  openTransport?: OpenTransport;
  /**
   * The address of another client, announced in front of the own one, so that its blocklist entry also ends this
   * client.
   */
  fencedWith?: EntityAddr | undefined;
}

/**
 * All connections of one thread: their memory, their writes (one per connection and tick), and the time of their next
 * read. A process with several threads has one messenger per worker.
 */
export class Messenger implements ConnectionHost {
  readonly memory = new MessengerMemory();
  readonly events = new ConnectionEvents();
  /** The clock for all operations. */
  readonly clock = new TurnClock(() => this.#tickSoon());
  readonly openTransport: OpenTransport;
  readonly modes: Record<PeerType, readonly ConnectionMode[]>;
  readonly signMessages: boolean;
  readonly gcm: GcmFill | undefined;
  readonly revision: 0 | 1;
  readonly fencedWith: EntityAddr | undefined;
  /**
   * The client's identity for daemons: the first global id that the monitors assigned. They assign a new one to a
   * client that was disconnected for longer than the lifetime of its tickets.
   */
  globalId = 0n;
  /** The client's address as seen by daemons; the nonce distinguishes clients on one host. */
  addr: EntityAddr = { ...blankAddr, type: "any", nonce: randomInt(1, 2 ** 31) };
  /** Operations waiting for a reply; the sender maintains the count, the coalescing of reads uses it. */
  inFlight = 0;

  readonly #connectTimeout: number;
  readonly #coalescing: Coalescing;
  readonly #connections = new Set<Connection>();
  #globalSeq = 0n;
  #dirty: Connection[] = [];
  #tickPending = false;
  #framesBefore = 0;
  #frames = 0;
  #readFull = false;
  readonly #sleeper = new Int32Array(new SharedArrayBuffer(4));

  constructor(options: MessengerOptions) {
    this.modes = options.modes;
    this.openTransport = options.openTransport ?? openTcp;
    this.signMessages = options.signMessages ?? true;
    this.gcm = options.gcm;
    this.revision = options.revision ?? 1;
    this.fencedWith = options.fencedWith;
    this.#connectTimeout = options.connectTimeout ?? 10_000;
    this.#coalescing = new Coalescing(options.coalescing);
  }

  /**
   * The addresses announced to daemons, which identify connections by the whole list, and look up the first address in
   * the blocklist (PrimaryLogPG::do_op in src/osd/PrimaryLogPG.cc).
   */
  get addrs(): readonly EntityAddr[] {
    return this.fencedWith === undefined ? [this.addr] : [this.fencedWith, this.addr];
  }

  /**
   * Connects; the handler receives the result.
   *
   * @throws RadosError SIPHON_RADOS_MODE if this client is fenced with another one, which protocol v1 does not support
   */
  connect(peer: Peer, auth: ConnectionAuth, handler: ConnectionHandler): Connection {
    if (this.fencedWith !== undefined && peer.type === "osd" && peer.addr.type === "legacy") {
      throw new RadosError(
        "SIPHON_RADOS_MODE",
        `${peer.name} speaks only protocol v1, where a client has one address`,
        {
          hint: "enable msgr2 on the OSDs (ms_bind_msgr2), or serve the image without workers",
          retryable: true,
        },
      );
    }
    const Version = peer.addr.type === "legacy" ? ConnectionV1 : ConnectionV2;
    const connection = new Version(this, peer, auth, handler);
    this.#connections.add(connection);
    this.events.publish("open", peer);
    connection.open(this.#connectTimeout);
    return connection;
  }

  get connections(): ReadonlySet<Connection> {
    return this.#connections;
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  /** Numbers the client's connections, so that daemons can tell which is newer. */
  nextGlobalSeq(): bigint {
    return ++this.#globalSeq;
  }

  /** A daemon has seen a higher number. */
  raiseGlobalSeq(seen: bigint): void {
    if (seen > this.#globalSeq) this.#globalSeq = seen;
  }

  /** The client's address as seen by peers; the first report counts. */
  learnAddr(seenAs: EntityAddr): void {
    if (this.addr.family === 0 && seenAs.family !== 0) {
      this.addr = { ...this.addr, family: seenAs.family, address: seenAs.address, port: 0 };
    }
  }

  /** For connections: schedules a flush at the end of this tick. */
  flushSoon(connection: Connection): void {
    if (connection.dirty) return;
    connection.dirty = true;
    this.#dirty.push(connection);
    this.#tickSoon();
  }

  /** For connections: reports a read and its number of bytes. */
  noteRead(length: number): void {
    if (length === this.memory.readArea.length) this.#readFull = true;
    if (this.inFlight > 0) this.#tickSoon();
  }

  /** For connections: counts delivered frames. */
  noteFrames(count: number): void {
    this.#frames += count;
  }

  /** For connections: closed. */
  forget(connection: Connection): void {
    this.#connections.delete(connection);
  }

  #tickSoon(): void {
    if (this.#tickPending) return;
    this.#tickPending = true;
    setImmediate(this.#tick);
  }

  /** Runs after the reads of this turn and all their effects. */
  readonly #tick = (): void => {
    this.#tickPending = false;
    const dirty = this.#dirty;
    if (dirty.length > 0) {
      this.#dirty = [];
      for (const connection of dirty) connection.flush();
    }
    const frames = this.#frames - this.#framesBefore;
    this.#framesBefore = this.#frames;
    const wait = this.#coalescing.next(this.inFlight, frames, !this.#readFull);
    this.#readFull = false;
    if (wait > 0) Atomics.wait(this.#sleeper, 0, 0, wait);
    this.clock.turnOver();
  };
}
