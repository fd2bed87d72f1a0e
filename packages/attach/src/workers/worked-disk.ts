import type { Socket } from "node:net";
import { extname } from "node:path";
import type { Image } from "@siphon/rbd";
import { errnoOf } from "@siphon/rbd/engine";
import type { BlockDevice } from "../block-device.ts";
import type { Extent, ExtentSource } from "../extent-source.ts";
import type { ErrorPolicy, PauseEvents } from "../health/pausing-device.ts";
import { detachSocket } from "../nbd/client-socket.ts";
import type { ServedConnection } from "../nbd/connection.ts";
import type { ConnectionTaker } from "../nbd/server.ts";
import { defaultBudget } from "../server/byte-budget.ts";
import { IoMetrics } from "../server/io-metrics.ts";
import type { Log } from "../server/log.ts";
import { RbdExtents } from "../server/rbd-extents.ts";
import type { DiskLimits } from "../throttle/disk-limits.ts";
import type { LimitedDevice } from "../throttle/image-limits.ts";
import { sharedBucketMemory } from "../throttle/shared-buckets.ts";
import { libc } from "../vhost/native/libc.ts";
import type { FromPart, PartClients, PartStart, ToPart } from "./messages.ts";
import { WorkedRings } from "./worked-rings.ts";

export interface WorkedDiskOptions {
  readonly name: string;
  readonly onError: ErrorPolicy;
  /** Bytes of requests that all clients may have in flight, divided among the workers. */
  readonly maxInFlight: number | undefined;
  /** The sums of all workers' counts. */
  readonly metrics: IoMetrics;
  readonly pauses: PauseEvents;
  readonly log: Log;
}

/**
 * A disk that is served by its image's workers. An accepted NBD client goes to the worker with the fewest clients, by its
 * descriptor, and stays there; each ring of a VM belongs to a worker. So no request ever changes threads.
 */
export class WorkedDisk implements ConnectionTaker, LimitedDevice {
  readonly device: BlockDevice;
  readonly extents: ExtentSource;
  readonly rings: WorkedRings;
  readonly #options: WorkedDiskOptions;
  readonly #tell: (index: number, message: ToPart) => void;
  readonly #metrics: readonly IoMetrics[];
  readonly #clients = new Map<number, Client>();
  readonly #ready = Promise.withResolvers<void>();
  #unready: number;
  #last = 0;
  #pausedAt = 0;
  #paused = 0;

  /** @throws AttachError SIPHON_ATTACH_NATIVE if system calls are not available (koffi) */
  static async start(image: Image, options: WorkedDiskOptions): Promise<WorkedDisk> {
    // Needed to pass descriptors to workers.
    libc();
    const disk = new WorkedDisk(image, options);
    await disk.#ready.promise;
    return disk;
  }

  private constructor(image: Image, options: WorkedDiskOptions) {
    this.device = image;
    this.#options = options;
    this.extents = new RbdExtents(image);
    const { count } = image.workers!;
    const { name, onError, maxInFlight = defaultBudget } = options;
    const memories = Array.from({ length: count }, () => new SharedArrayBuffer(IoMetrics.byteLength));
    this.#metrics = memories.map((memory) => new IoMetrics(undefined, memory));
    this.#unready = count;
    const start: PartStart = {
      ...{ name, onError, maxInFlight: maxInFlight / count },
      ...{ buckets: sharedBucketMemory(), metrics: memories, orphans: new SharedArrayBuffer(4) },
    };
    const run = image.workers!.start(module, start, {
      onMessage: (message, index) => this.#told(message as FromPart, index),
    });
    this.#tell = run.tell;
    this.rings = new WorkedRings(count, run.tell);
    // Later it ends with the image.
    run.ended.catch((error) => {
      this.#ready.reject(error);
      this.rings.end(error);
    });
  }

  /** The sums of all workers' counts so far. */
  get metrics(): IoMetrics {
    const { metrics } = this.#options;
    metrics.addUp([...this.#metrics, this.rings.metrics]);
    return metrics;
  }

  begin(clients: PartClients): void {
    this.#tellAll({ type: "begin", clients });
  }

  take(socket: Socket, name: string, closed: (connection: ServedConnection) => void): ServedConnection {
    const load = this.#metrics.map(() => 0);
    for (const { index } of this.#clients.values()) load[index]!++;
    const index = load.indexOf(Math.min(...load));
    const id = ++this.#last;
    const client = new Client(id, index, this.#tell, closed);
    this.#tell(index, { type: "client", id, name, fd: detachSocket(socket) });
    this.#clients.set(id, client);
    return client;
  }

  limit(limits: DiskLimits): void {
    this.#tellAll({ type: "limit", limits });
  }

  #tellAll(message: ToPart): void {
    for (const index of this.#metrics.keys()) this.#tell(index, message);
  }

  #told(message: FromPart, index: number): void {
    const { log, pauses } = this.#options;
    switch (message.type) {
      case "ready":
        if (--this.#unready === 0) this.#ready.resolve();
        return;
      case "served":
        this.#clients.get(message.id)!.isServed = true;
        return;
      case "closed": {
        const client = this.#clients.get(message.id)!;
        this.#clients.delete(message.id);
        client.closed(client);
        return;
      }
      case "log":
        log(message.line);
        return;
      case "paused":
        if (this.#paused++ > 0) return;
        this.#pausedAt = performance.now();
        pauses.paused(message.why);
        return;
      case "resumed":
        if (--this.#paused === 0) pauses.resumed((performance.now() - this.#pausedAt) / 1000);
        return;
      case "extents":
        void this.#find(message, index);
        return;
      default:
        this.rings.told(message);
    }
  }

  async #find({ id, since, offset, length }: FromPart & { type: "extents" }, index: number): Promise<void> {
    let extents: readonly Extent[] | number;
    try {
      extents =
        since === undefined
          ? await this.extents.allocation(offset, length)
          : await this.extents.changedSince(since, offset, length);
    } catch (error) {
      extents = errnoOf(error);
    }
    this.#tell(index, { type: "extents", id, extents });
  }
}

/** A client that a worker serves. */
class Client implements ServedConnection {
  isServed = false;
  /** The worker ends it itself. */
  readonly stalledFor = 0;
  readonly index: number;
  readonly closed: (connection: ServedConnection) => void;
  readonly #id: number;
  readonly #tell: (index: number, message: ToPart) => void;

  constructor(
    id: number,
    index: number,
    tell: (index: number, message: ToPart) => void,
    closed: (connection: ServedConnection) => void,
  ) {
    this.#id = id;
    this.index = index;
    this.#tell = tell;
    this.closed = closed;
  }

  evict(reason: string): void {
    this.#tell(this.index, { type: "evict", id: this.#id, reason });
  }

  stop(force: boolean): void {
    this.#tell(this.index, { type: "stop", id: this.#id, force });
  }
}

const module = new URL(`./disk-part${extname(import.meta.filename)}`, import.meta.url);
