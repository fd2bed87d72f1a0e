import { Cluster } from "@siphon/rados";
import { AttachError } from "../errors.ts";
import { attachImages } from "../server/attach-images.ts";
import type { DiskFigures, ServedPoint } from "../server/attachment.ts";
import type { DiskServer } from "../server/disk-server.ts";
import type { Log } from "../server/log.ts";
import { Shared } from "../server/shared.ts";
import type { SocketKeeper } from "../server/socket-keeper.ts";
import type { ShardJob, ShardTask } from "./messages.ts";

export interface DiskHostOptions extends Pick<ShardJob, "cluster" | "maxInFlight"> {
  log: Log;
  /** Aborts attempts to connect. */
  signal?: AbortSignal;
  /** Keeps NBD sockets for the next process. */
  keeper?: SocketKeeper;
}

/** The parts that one process serves. They are added and removed at run time, and share one client of the cluster. */
export class DiskHost {
  readonly #options: DiskHostOptions;
  readonly #shared: Shared;
  readonly #parts = new Map<string, DiskServer>();
  /** Names of parts that are being added or removed. */
  readonly #busy = new Map<string, Promise<unknown>>();
  #isEnding = false;
  #cluster: Promise<Cluster> | undefined;
  /** Clients on the blocklist that some parts still use. */
  readonly #fenced: Cluster[] = [];

  constructor(options: DiskHostOptions) {
    this.#options = options;
    this.#shared = new Shared(options.log, options.maxInFlight, options.keeper);
  }

  /** Returns the addresses of an added disk; nothing for other requests. A failed `add` leaves nothing behind. */
  async carryOut(task: ShardTask): Promise<readonly ServedPoint[]> {
    const { part } = task;
    if (this.#busy.has(part)) throw new AttachError("SIPHON_ATTACH_DISK", `${part} is being changed`);
    if (task.do === "limit") {
      this.#serving(part).limit(task.limits);
      return [];
    }
    if (this.#isEnding)
      throw new AttachError("SIPHON_ATTACH_DISK", "the process that serves disks is ending");
    const change = task.do === "add" ? this.#add(task) : this.#remove(part);
    this.#busy.set(part, change);
    try {
      return await change;
    } finally {
      this.#busy.delete(part);
    }
  }

  measure(): DiskFigures[] {
    return [...this.#parts].flatMap(([part, attachment]) => {
      const { limits, disks } = attachment;
      return disks.map(({ name, device, metrics }) => {
        return { part, name, size: device.size, io: metrics.figures, limits };
      });
    });
  }

  /** Loses no data: see `Attachment.drain`. */
  async drain(): Promise<void> {
    this.#isEnding = true;
    await Promise.allSettled(this.#busy.values());
    const ends = await Promise.allSettled([...this.#parts.values()].map((part) => part.drain()));
    this.#shared[Symbol.dispose]();
    const cluster = await this.#cluster?.catch(() => undefined);
    for (const each of [...this.#fenced, cluster]) each?.close();
    const failures = ends.flatMap((end) => (end.status === "rejected" ? [end.reason as Error] : []));
    if (failures.length === 0) return;
    throw new AttachError("SIPHON_ATTACH_DRAIN", failures.map(({ message }) => message).join("; "), {
      cause: new AggregateError(failures),
    });
  }

  async #add({ part, request }: ShardTask & { do: "add" }): Promise<readonly ServedPoint[]> {
    if (this.#parts.has(part)) throw new AttachError("SIPHON_ATTACH_DISK", `${part} is already served`);
    const cluster = await this.#connected();
    const attach = (cluster: Cluster) =>
      attachImages({ ...request, cluster, log: this.#options.log, shared: this.#shared });
    const attachment = await attach(cluster).catch(async (error) => {
      if ((error as { code?: unknown }).code !== "ESHUTDOWN") throw error;
      return attach(await this.#successorOf(cluster));
    });
    this.#parts.set(part, attachment);
    return attachment.points;
  }

  /** A client on the blocklist stays there; parts that are added later get a new one. */
  async #successorOf(cluster: Cluster): Promise<Cluster> {
    if ((await this.#cluster) === cluster) {
      this.#cluster = undefined;
      this.#fenced.push(cluster);
    }
    return this.#connected();
  }

  async #remove(part: string): Promise<readonly ServedPoint[]> {
    // Even if it was not closed in order, it can no longer be used.
    await this.#serving(part)
      .drain()
      .finally(() => this.#parts.delete(part));
    return [];
  }

  #serving(part: string): DiskServer {
    const attachment = this.#parts.get(part);
    if (attachment === undefined) throw new AttachError("SIPHON_ATTACH_DISK", `${part} is not served`);
    return attachment;
  }

  /** After a failed connection, the next part tries again. */
  #connected(): Promise<Cluster> {
    const { cluster: options, signal } = this.#options;
    this.#cluster ??= Cluster.connect({ ...options, ...(signal && { signal }) }).catch((error) => {
      this.#cluster = undefined;
      throw error;
    });
    return this.#cluster;
  }
}
