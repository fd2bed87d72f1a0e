import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { resolve } from "node:path";
import { AttachError } from "../errors.ts";
import type { ByteBudget } from "../server/byte-budget.ts";
import { createLimits, type Limits } from "../server/limits.ts";
import { isLoopback, type ListenAddress, listenAt } from "../server/listen.ts";
import { QuietLog } from "../server/quiet-log.ts";
import type { SocketAccess } from "../server/socket-access.ts";
import type { SocketKeeper } from "../server/socket-keeper.ts";
import { ChunkPool } from "./chunk-pool.ts";
import { type ConnectionHost, NbdConnection, type ServedConnection } from "./connection.ts";
import type { NbdExport } from "./export.ts";
import { SegmentPool } from "./payload.ts";
import { ReceiveMemory } from "./receive-memory.ts";
import type { TlsCredentials } from "./tls.ts";

export interface NbdServerOptions {
  address: ListenAddress;
  /** Access to a unix socket; by default for the user of this process alone. */
  access?: SocketAccess;
  exports: readonly NbdExport[];
  /** Clients on TCP must start TLS and present a certificate. */
  credentials?: TlsCredentials;
  /** Called with a line for each failure of a client; default: nothing. */
  log?: (line: string) => void;
  /** Milliseconds for a client to choose an export; default 30,000. */
  handshakeTimeout?: number;
  /** Keeps a unix socket for the process after this one. */
  keeper?: SocketKeeper;
  /** Limits shared with all servers of the process; by default the server has its own. */
  limits?: Limits;
  /**
   * Other threads that serve the clients; this one only accepts them.
   *
   * @internal
   */
  elsewhere?: ConnectionTaker;
}

/** Serves, in other threads, clients that a server has accepted. */
export interface ConnectionTaker {
  /** Called before the first client connects. */
  begin(how: { readonly credentials: TlsCredentials | undefined; readonly handshakeTimeout: number }): void;
  /** Takes over a client from its first byte. */
  take(socket: Socket, name: string, closed: (connection: ServedConnection) => void): ServedConnection;
}

/** Disks for clients of the NBD protocol, on one socket. */
export class NbdServer {
  readonly #server: Server;
  readonly #address: ListenAddress;
  /** Oldest first. */
  readonly #connections = new Set<ServedConnection>();
  readonly #keeper: SocketKeeper | undefined;
  readonly #limits: Limits;
  readonly #refusals: QuietLog;
  readonly #watch: NodeJS.Timeout;
  #empty: (() => void) | undefined;

  /**
   * @throws AttachError SIPHON_USAGE for an address that other machines can reach without TLS,
   * SIPHON_ATTACH_SOCKET_BUSY if another program listens there
   */
  static async listen(options: NbdServerOptions): Promise<NbdServer> {
    const { address, exports, credentials } = options;
    if (!("path" in address) && !isLoopback(address.host) && credentials === undefined) {
      throw new AttachError(
        "SIPHON_USAGE",
        `NBD on ${address.host}, which other machines can reach, would not be encrypted`,
        {
          hint: "give TLS certificates, or listen on a unix socket or on 127.0.0.1",
        },
      );
    }
    const server = new NbdServer(options, new Map(exports.map((each) => [each.name, each])));
    await listenAt(server.#server, address, options.access, options.log, options.keeper);
    return server;
  }

  private constructor(options: NbdServerOptions, exports: ReadonlyMap<string, NbdExport>) {
    const unix = "path" in options.address;
    this.#address = options.address;
    this.#keeper = options.keeper;
    const log = options.log ?? (() => {});
    const limits = options.limits ?? createLimits();
    this.#limits = limits;
    this.#refusals = new QuietLog(log);
    this.#watch = watchStalled(this.#connections, limits.budget);
    const credentials = unix ? undefined : options.credentials;
    const { handshakeTimeout = 30_000, elsewhere } = options;
    const closed = (connection: ServedConnection) => {
      this.#connections.delete(connection);
      limits.connections.give();
      if (this.#connections.size === 0) this.#empty?.();
    };
    elsewhere?.begin({ credentials, handshakeTimeout });
    const host =
      elsewhere === undefined
        ? connectionHost({ ...{ exports, credentials, handshakeTimeout, limits, log, closed } })
        : undefined;
    let count = 0;
    this.#server = createServer(
      { pauseOnConnect: credentials === undefined || elsewhere !== undefined, noDelay: !unix },
      (socket: Socket) => {
        if (!this.#makeRoom()) {
          socket.destroy();
          return;
        }
        const name = `client ${++count}${socket.remoteAddress === undefined ? "" : ` (${socket.remoteAddress})`}`;
        if (host !== undefined) this.#connections.add(new NbdConnection(host, socket, name));
        else this.#passOn(elsewhere!, socket, name, closed);
      },
    );
  }

  #passOn(
    elsewhere: ConnectionTaker,
    socket: Socket,
    name: string,
    closed: (connection: ServedConnection) => void,
  ): void {
    try {
      this.#connections.add(elsewhere.take(socket, name, closed));
    } catch (error) {
      socket.destroy();
      this.#limits.connections.give();
      this.#refusals.write(`NBD: ${name} cannot be served: ${(error as Error).message}`);
    }
  }

  /**
   * Makes room for one more client. Clients that have not chosen an export are disconnected first: a real client
   * chooses quickly.
   */
  #makeRoom(): boolean {
    const unserved = [...this.#connections].filter(({ isServed }) => !isServed);
    if (unserved.length >= mostUnserved) unserved[0]!.evict("too many clients have not chosen an export yet");
    const { connections } = this.#limits;
    if (connections.take()) return true;
    unserved[0]?.evict("making room for another client");
    this.#refusals.write(
      `NBD: limit of ${connections.limit} clients reached, refusing others; to raise it, allow more open files (ulimit -n)`,
    );
    return false;
  }

  /** The port that was chosen, for TCP. */
  get port(): number | undefined {
    const address = this.#server.address();
    return typeof address === "object" ? address?.port : undefined;
  }

  /**
   * Takes no more clients and requests, answers those in flight, and disconnects the clients. Devices are neither
   * flushed nor closed.
   *
   * @param patience milliseconds for clients to read their answers
   */
  async drain(patience = 5000): Promise<void> {
    // Before it is closed: the next server may replace a socket on which no program listens.
    if ("path" in this.#address && this.#server.listening) this.#removeSocket(this.#address.path);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const empty = new Promise<void>((resolve) => {
      this.#empty = resolve;
      if (this.#connections.size === 0) resolve();
    });
    const impatient = setTimeout(() => this.#stop(true), patience);
    this.#stop(false);
    await empty;
    clearTimeout(impatient);
    clearInterval(this.#watch);
    this.#refusals[Symbol.dispose]();
    await closed;
  }

  #removeSocket(path: string): void {
    if (!this.#keeper?.leaves(resolve(path))) rmSync(path, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
  }

  #stop(force: boolean): void {
    for (const connection of this.#connections) connection.stop(force);
  }
}

/** With the memory that the connections of one thread share. */
export function connectionHost(host: Omit<ConnectionHost, "memory" | "chunks" | "segments">): ConnectionHost {
  return { ...host, memory: new ReceiveMemory(), chunks: new ChunkPool(), segments: new SegmentPool() };
}

/** Disconnects clients that read no replies when other clients need the memory that they hold. */
export function watchStalled(
  connections: { values(): Iterable<ServedConnection> },
  budget: ByteBudget,
): NodeJS.Timeout {
  const look = () => {
    if (!budget.isShort) return;
    for (const connection of connections.values()) {
      if (connection.stalledFor > mostStalled)
        connection.evict("the client does not read its replies, and memory is short");
    }
  };
  return setInterval(look, stallLook).unref();
}

/** Clients of one server that may be in their handshake at a time. */
const mostUnserved = 64;
/**
 * Milliseconds between checks for clients that read no replies, and how long such a client may stay while others wait
 * for memory.
 */
const stallLook = 5_000;
const mostStalled = 30_000;
