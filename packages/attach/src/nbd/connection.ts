import { Socket } from "node:net";
import { createServer } from "node:tls";
import { Region } from "@siphon/rados/engine";
import { SiphonError } from "@siphon/wire";
import { AttachError } from "../errors.ts";
import type { Limits } from "../server/limits.ts";
import type { ChunkPool } from "./chunk-pool.ts";
import { adoptSocket, type ClientSocketEvents, readInto, takeOver } from "./client-socket.ts";
import { type ExportTable, Handshake } from "./handshake.ts";
import type { SegmentPool } from "./payload.ts";
import { carryBytes, type ReceiveMemory } from "./receive-memory.ts";
import { ReplyStream } from "./reply-stream.ts";
import type { Session } from "./session.ts";
import type { TlsCredentials } from "./tls.ts";
import { Transmission } from "./transmission.ts";

/** State that the connections of a server share. */
export interface ConnectionHost {
  readonly exports: ExportTable;
  readonly credentials: TlsCredentials | undefined;
  readonly memory: ReceiveMemory;
  readonly chunks: ChunkPool;
  readonly segments: SegmentPool;
  readonly limits: Limits;
  /** Milliseconds for a client to choose an export. */
  readonly handshakeTimeout: number;
  log(line: string): void;
  /** The client has chosen an export. */
  served?(connection: NbdConnection): void;
  closed(connection: NbdConnection): void;
}

/** A client as its server sees it, whichever thread serves it. */
export interface ServedConnection {
  /** Whether it has chosen an export. */
  readonly isServed: boolean;
  /** Milliseconds for which the client has not taken replies that wait for it. */
  readonly stalledFor: number;
  /** Disconnects the client to make room for others. */
  evict(reason: string): void;
  /** Takes no more requests, answers those in flight, and disconnects; with `force` at once. */
  stop(force: boolean): void;
}

/** One client, from its first byte to its last. */
export class NbdConnection implements ServedConnection {
  readonly #host: ConnectionHost;
  /** For the log. */
  readonly #name: string;
  readonly #handshake: Handshake;
  readonly #timer: NodeJS.Timeout;
  #socket: Socket;
  #transmission: Transmission | undefined;
  #session: Session | undefined;
  #isClosed = false;
  #startsTls = false;
  #tickPending = false;

  /** Bytes that wait: an incomplete request, or (parked) requests of a client that has reached its limit. */
  #carry: Region | undefined;
  #carried = 0;
  #isParked = false;

  /**
   * @param accepted the client's socket, or the descriptor of a socket that another thread accepted
   * @param session set if the settings were agreed without a handshake
   */
  constructor(host: ConnectionHost, accepted: Socket | number, name: string, session?: Session) {
    this.#host = host;
    this.#name = name;
    const { memory, credentials } = host;
    if (credentials === undefined) {
      const adopt = typeof accepted === "number" ? takeOver : adoptSocket;
      this.#socket = adopt(accepted as Socket & number, memory, this.#socketEvents);
    } else {
      this.#socket = typeof accepted === "number" ? new Socket({ fd: accepted }) : accepted;
      readInto(this.#socket, memory, this.#socketEvents);
    }
    this.#timer = setTimeout(
      () => this.#fail("the client chose no export in time"),
      host.handshakeTimeout,
    ).unref();
    this.#handshake = new Handshake(host.exports, credentials !== undefined, {
      send: (bytes) => this.#say(bytes),
      agreed: (session) => this.#transmit(session),
      startTls: () => {
        this.#startsTls = true;
      },
      end: () => this.#socket.destroySoon(),
    });
    if (session === undefined) this.#handshake.greet();
    else this.#transmit(session);
  }

  /** Whether the client has disconnected by request (NBD_CMD_DISC). */
  get hasLeft(): boolean {
    return this.#transmission?.hasLeft ?? false;
  }

  get isServed(): boolean {
    return this.#transmission !== undefined;
  }

  get stalledFor(): number {
    const stream = this.#transmission?.stream;
    return stream === undefined || stream.isIdle ? 0 : performance.now() - stream.movedAt;
  }

  evict(reason: string): void {
    this.#fail(reason);
  }

  stop(force: boolean): void {
    if (this.#transmission === undefined || force) {
      this.#socket.destroy();
      return;
    }
    this.#transmission.stop();
    this.#tickSoon();
  }

  #transmit(session: Session): void {
    clearTimeout(this.#timer);
    this.#session = session;
    session.export.metrics.connections++;
    session.export.joined?.();
    this.#host.served?.(this);
    const { chunks, segments, limits } = this.#host;
    const settled = (cost: number): void => {
      transmission.settled(cost);
      if (this.#isParked || transmission.isStopped) this.#tickSoon();
    };
    const stream = new ReplyStream(chunks, this.#socket, settled);
    const transmission = new Transmission(session, stream, segments, limits.budget, {
      replied: () => this.#tickSoon(),
    });
    this.#transmission = transmission;
  }

  /** Sends bytes of the handshake. A client that sends options and reads no answers must not fill the memory. */
  #say(bytes: Buffer): void {
    this.#socket.write(bytes);
    if (this.#socket.writableLength > mostUnheard) {
      throw new AttachError("SIPHON_ATTACH_PROTOCOL", "the client does not read its answers");
    }
  }

  readonly #socketEvents: ClientSocketEvents = {
    received: (length) => this.#received(length),
    closed: (error) => this.#closed(error),
  };

  #received(length: number): boolean {
    if (this.#isClosed) return false;
    const { bytes, view } = this.#host.memory.region;
    let start = carryBytes;
    const end = carryBytes + length;
    if (this.#isParked) {
      this.#keep(bytes, start, end);
      return false;
    }
    if (this.#carried > 0) {
      start -= this.#carried;
      this.#carry!.bytes.copy(bytes, start, 0, this.#carried);
      this.#carried = 0;
    }
    const stopped = this.#consume(bytes, view, start, end);
    if (this.#isClosed) return false;
    if (stopped < end) this.#keep(bytes, stopped, end);
    this.#park(this.#transmission?.isFull ?? false);
    return !this.#isParked;
  }

  #park(full: boolean): void {
    this.#isParked = full;
    if (full && this.#transmission!.waitsForOthers) this.#host.limits.budget.whenFree(this.#thereIsRoom);
  }

  readonly #thereIsRoom = (): void => this.#tickSoon();

  #consume(bytes: Buffer, view: DataView, start: number, end: number): number {
    try {
      let at = start;
      if (this.#transmission === undefined) at = this.#handshake.receive(bytes, at, end);
      if (this.#startsTls) {
        if (at < end) throw new AttachError("SIPHON_ATTACH_PROTOCOL", "unencrypted bytes after STARTTLS");
        this.#startTls();
      } else if (this.#transmission !== undefined) {
        at = this.#transmission.receive(bytes, view, at, end);
        if (this.#transmission.isStopped) this.#tickSoon();
      }
      return at;
    } catch (error) {
      if (!(error instanceof SiphonError)) throw error;
      this.#fail(error.message);
      return end;
    }
  }

  /** Appends bytes to those kept for later. */
  #keep(bytes: Buffer, start: number, end: number): void {
    const needed = this.#carried + end - start;
    if (this.#carry === undefined || this.#carry.bytes.length < needed) {
      const grown = Region.allocate(Math.max(4096, 2 ** Math.ceil(Math.log2(needed))));
      this.#carry?.bytes.copy(grown.bytes, 0, 0, this.#carried);
      this.#carry = grown;
    }
    bytes.copy(this.#carry.bytes, this.#carried, start, end);
    this.#carried = needed;
  }

  #tickSoon(): void {
    if (this.#tickPending) return;
    this.#tickPending = true;
    process.nextTick(this.#tick);
  }

  /** Runs after all completions of this turn, so their replies leave in one write. */
  readonly #tick = (): void => {
    this.#tickPending = false;
    const transmission = this.#transmission;
    if (this.#isClosed || transmission === undefined) return;
    transmission.stream.flush();
    if (this.#isParked) {
      if (transmission.isFull) this.#park(true);
      else this.#unpark(transmission);
    }
    if (transmission.isStopped && transmission.inFlight === 0 && transmission.stream.isIdle) {
      this.#socket.destroySoon();
    }
  };

  #unpark(transmission: Transmission): void {
    const { bytes, view } = this.#carry ?? nothing;
    const carried = this.#carried;
    const stopped = this.#consume(bytes, view, 0, carried);
    if (this.#isClosed) return;
    bytes.copyWithin(0, stopped, carried);
    this.#carried = carried - stopped;
    this.#park(transmission.isFull);
    if (!this.#isParked) this.#socket.resume();
  }

  /** Restarts option negotiation on the encrypted stream. */
  #startTls(): void {
    this.#startsTls = false;
    const clear = this.#socket;
    clear.removeAllListeners("data");
    const upgrade = createServer({ ...this.#host.credentials, rejectUnauthorized: true, requestCert: true });
    upgrade.on("secureConnection", (encrypted) => {
      this.#socket = encrypted;
      readInto(encrypted, this.#host.memory, this.#socketEvents);
      this.#handshake.encrypted();
    });
    upgrade.on("tlsClientError", (error) => this.#fail(`the TLS handshake failed: ${error.message}`));
    upgrade.emit("connection", clear);
  }

  #fail(reason: string): void {
    if (this.#isClosed) return;
    this.#host.log(`NBD ${this.#name}: connection ended: ${reason}`);
    this.#socket.destroy();
  }

  #closed(error: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#host.limits.budget.forget(this.#thereIsRoom);
    if (error !== undefined) this.#host.log(`NBD ${this.#name}: connection lost: ${error.message}`);
    this.#carry = undefined;
    if (this.#session !== undefined) {
      this.#session.export.metrics.connections--;
      this.#session.export.left?.();
    }
    this.#transmission?.close();
    this.#transmission?.stream.close();
    this.#host.closed(this);
  }
}

const nothing = Region.allocate(0);
/** Bytes of answers to options. */
const mostUnheard = 1 << 20;
