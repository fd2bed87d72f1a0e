import type { DiskFigures, ServedPoint, ShardState } from "../server/attachment.ts";
import type { Log } from "../server/log.ts";
import type { SocketKeeper } from "../server/socket-keeper.ts";
import { DiskHost } from "../shards/disk-host.ts";
import type { ShardJob, ShardTask } from "../shards/messages.ts";
import { Shard } from "../shards/shard.ts";

/** A process that serves disks: this one, or a supervised one. */
export interface Worker {
  /** Undefined for this process. */
  readonly state: ShardState | undefined;
  start(): Promise<unknown>;
  /** As `DiskHost` has it. */
  carryOut(task: ShardTask): Promise<readonly ServedPoint[]>;
  measure(): Promise<readonly DiskFigures[]>;
  /** Drains its disks. */
  stop(): Promise<void>;
  kill(): void;
}

export interface WorkerOptions extends Omit<ShardJob, "request"> {
  /** With 1, this process serves the disks. */
  shards: number;
  /** Seconds without an answer after which a shard counts as hung and is replaced. */
  hangAfter: number;
  log: Log;
  /** Aborts attempts to connect to the cluster. */
  signal?: AbortSignal;
  /** Keeps the sockets of disks that this process serves. */
  keeper?: SocketKeeper;
}

/** Creates the requested number of processes, for `AttachService.start`. */
export function serviceWorkers(
  { shards, hangAfter, log, signal, keeper, ...job }: WorkerOptions,
  lost: (worker: Worker, how: string) => void,
): Worker[] {
  if (shards === 1) {
    return [
      new LocalWorker(new DiskHost({ ...job, log, ...(signal && { signal }), ...(keeper && { keeper }) })),
    ];
  }
  return Array.from({ length: shards }, (_, i) => {
    const shard: Shard = new Shard(i + 1, job, log, hangAfter, (how) => lost(shard, how));
    return shard;
  });
}

/** Disks that this process serves itself. */
class LocalWorker implements Worker {
  readonly state = undefined;
  readonly #host: DiskHost;

  constructor(host: DiskHost) {
    this.#host = host;
  }

  async start(): Promise<void> {}

  carryOut(task: ShardTask): Promise<readonly ServedPoint[]> {
    return this.#host.carryOut(task);
  }

  async measure(): Promise<readonly DiskFigures[]> {
    return this.#host.measure();
  }

  stop(): Promise<void> {
    return this.#host.drain();
  }

  /** Ends with this process. */
  kill(): void {}
}
