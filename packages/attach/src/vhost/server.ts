import { closeSync, rmSync } from "node:fs";
import type { BlockDevice } from "../block-device.ts";
import { AttachError } from "../errors.ts";
import { ByteBudget } from "../server/byte-budget.ts";
import type { DiskUse } from "../server/disk-use.ts";
import { IoMetrics } from "../server/io-metrics.ts";
import { ownerOnly, type SocketAccess } from "../server/socket-access.ts";
import { placeSocket } from "../server/unix-socket.ts";
import type { VhostEvent } from "./events.ts";
import { type PollHandle, whenReadable } from "./native/libc.ts";
import { acceptFrom, listenAt } from "./native/socket.ts";
import { Session } from "./session.ts";
import type { RingServer } from "./session-setup.ts";

export interface VhostOptions {
  device: BlockDevice;
  /** The path to listen at. */
  socket: string;
  /** Access to the socket; by default for the user of this process alone. */
  access?: SocketAccess;
  /** Number of rings that a front-end may use; default 16. */
  queues?: number;
  /** Serial number of the disk for the guest; at most 20 bytes. */
  serial?: string;
  /** Block size of the guest's disk, in bytes: 512, which is the default, or 4096. */
  blockSize?: 512 | 4096;
  /** Budget of bytes in flight for all clients of the process; default: a budget of its own. */
  budget?: ByteBudget;
  /** Milliseconds that a VM waits at most for requests in flight when it stops its rings; default 5,000. */
  patience?: number;
  metrics?: IoMetrics;
  /**
   * Marks a disk that may migrate as used while rings run.
   *
   * @internal
   */
  use?: DiskUse;
  /**
   * Other threads that serve the rings; this one only takes the front-ends' messages.
   *
   * @internal
   */
  elsewhere?: RingServer;
  report?: (event: VhostEvent) => void;
}

/** A ring's number has eight bits. */
const mostQueues = 256;
const defaultQueues = 16;
const serialBytes = 20;
const defaultPatience = 5000;

/**
 * Serves a disk over vhost-user-blk to one front-end at a time; the next one is served when the previous one has left
 * and its requests are done. A process may have several servers.
 */
export class VhostServer implements AsyncDisposable {
  readonly socket: string;
  readonly metrics: IoMetrics;
  readonly #options: VhostOptions;
  readonly #listener: number;
  #poll: PollHandle | undefined;
  #session: Session | undefined;
  #closed = false;
  readonly #budget: ByteBudget;
  /** Timer of a server that cannot accept a front-end now. */
  #retry: NodeJS.Timeout | undefined;
  #retryDelay = shortestRetry;

  private constructor(options: VhostOptions, listener: number) {
    this.#options = options;
    this.socket = options.socket;
    this.metrics = options.elsewhere?.metrics ?? options.metrics ?? new IoMetrics();
    this.#budget = options.budget ?? new ByteBudget();
    this.#listener = listener;
    this.#accept();
  }

  /**
   * @throws AttachError SIPHON_ATTACH_SOCKET_BUSY if another program listens on the socket, SIPHON_ATTACH_SOCKET if no
   * socket can be created there, SIPHON_ATTACH_NATIVE if koffi cannot be loaded
   */
  static async listen(options: VhostOptions): Promise<VhostServer> {
    const { queues = defaultQueues, serial = "", socket, access = ownerOnly } = options;
    if (!Number.isInteger(queues) || queues < 1 || queues > mostQueues) {
      throw new AttachError("SIPHON_USAGE", `a disk cannot have ${queues} queues`, {
        hint: `give 1 to ${mostQueues}; QEMU uses one for each of the VM's processors`,
      });
    }
    if (Buffer.byteLength(serial) > serialBytes) {
      throw new AttachError(
        "SIPHON_USAGE",
        `the serial number ${serial} is longer than ${serialBytes} bytes`,
      );
    }
    return new VhostServer(options, await placeSocket(socket, access, listenAt, closeSync));
  }

  /** Finishes the requests in flight, disconnects and removes the socket. A VM waits until a server listens there again. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      clearTimeout(this.#retry);
      this.#poll?.close();
      // Before it is closed: the next server may replace a socket on which no program listens.
      rmSync(this.socket, { force: true });
      closeSync(this.#listener);
    }
    await this.#session?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(): void {
    if (!this.#closed) this.#poll = whenReadable(this.#listener, this.#connected);
  }

  readonly #connected = (): void => {
    try {
      this.#take();
    } catch (error) {
      // Any other error is a fault of this program.
      if (!(error instanceof AttachError)) throw error;
      this.#acceptLater(error);
    }
  };

  /** Descriptors or memory ran out: front-ends wait in the socket's queue until a retry succeeds. */
  #acceptLater(error: AttachError): void {
    this.#poll?.close();
    this.#options.report?.({ type: "waiting", error, milliseconds: this.#retryDelay });
    this.#retry = setTimeout(() => this.#accept(), this.#retryDelay);
    this.#retryDelay = Math.min(2 * this.#retryDelay, longestRetry);
  }

  #take(): void {
    const fd = acceptFrom(this.#listener);
    if (fd === undefined) return;
    this.#retryDelay = shortestRetry;
    this.#poll!.close();
    const { device, queues = defaultQueues, serial = "", blockSize = 512, report = () => {} } = this.#options;
    const { patience = defaultPatience, use, elsewhere } = this.#options;
    const { metrics } = this;
    const session = new Session(fd, {
      ...{ device, metrics, serial, blockSize, queues, patience, report, budget: this.#budget, elsewhere },
      ...(use && { use: { begin: () => use.begin(this), end: () => use.end(this) } }),
    });
    metrics.connections++;
    report({ type: "connected" });
    this.#session = session;
    void session.over.then(() => {
      metrics.connections--;
      this.#session = undefined;
      this.#accept();
    });
  }
}

/** Milliseconds. */
const shortestRetry = 100;
const longestRetry = 5_000;
