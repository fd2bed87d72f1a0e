import { ImageRequest } from "@siphon/rbd/engine";
import type { BlockDevice } from "../block-device.ts";
import { AttachError } from "../errors.ts";
import type { ExtentSource } from "../extent-source.ts";
import type { ConnectionTaker } from "../nbd/server.ts";
import type { DiskLimits } from "../throttle/disk-limits.ts";
import type { RingServer } from "../vhost/session-setup.ts";
import type { Attachment, Measurement, ServedPoint } from "./attachment.ts";
import type { DiskUse } from "./disk-use.ts";
import type { IoMetrics } from "./io-metrics.ts";

/** Changes the limits of a disk while it is served. */
export interface DiskLimitControl {
  readonly inForce: DiskLimits;
  give(limits: DiskLimits): void;
  lift(): void;
}

/** A disk served by one or more front ends. */
export interface ServedDisk {
  /** `POOL/IMAGE` or `POOL/IMAGE@SNAP`. */
  readonly name: string;
  /** Serial number for guests, independent of the name: at most 20 bytes. */
  readonly serial: string;
  readonly device: BlockDevice;
  readonly extents: ExtentSource | undefined;
  readonly metrics: IoMetrics;
  /** Threads that serve the clients, if this one does not. */
  readonly elsewhere?: (ConnectionTaker & { readonly rings: RingServer }) | undefined;
  /** Set for a disk that may migrate. */
  readonly use?: DiskUse | undefined;
  /** The disk's limits. */
  readonly limits?: DiskLimitControl | undefined;
  /** Closes the disk and releases its lock. */
  close(): Promise<void>;
}

/** Disks that this process serves, their sockets, and the order in which they end. */
export class DiskServer implements Attachment {
  readonly points: readonly ServedPoint[];
  /** @internal */
  readonly disks: readonly ServedDisk[];
  readonly #fronts: readonly AsyncDisposable[];
  readonly #beside: Disposable | undefined;
  #drained: Promise<void> | undefined;

  /**
   * @param fronts disposing of them answers all requests in flight
   * @param beside disposed of last
   *
   * @internal
   */
  constructor(
    disks: readonly ServedDisk[],
    fronts: readonly AsyncDisposable[],
    points: readonly ServedPoint[] = [],
    beside?: Disposable,
  ) {
    this.disks = disks;
    this.#fronts = fronts;
    this.points = points;
    this.#beside = beside;
  }

  async measure(): Promise<Measurement> {
    const disks = this.disks.map(({ name, device, metrics }) => ({ name, size: device.size, metrics }));
    return { disks, shards: [] };
  }

  /** The limits in force for the first disk. */
  get limits(): DiskLimits {
    return this.disks[0]?.limits?.inForce ?? {};
  }

  /** Sets the limits of all disks; missing ones come from RBD's settings. */
  limit(limits: DiskLimits): void {
    for (const disk of this.disks) disk.limits?.give(limits);
  }

  /** Closes the disks even if a step fails. */
  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  async #drain(): Promise<void> {
    const failures: Error[] = [];
    const all = async (work: Promise<void>[]): Promise<void> => {
      for (const { status, ...rest } of await Promise.allSettled(work)) {
        if (status === "rejected" && "reason" in rest) failures.push(rest.reason as Error);
      }
    };
    for (const { limits } of this.disks) limits?.lift();
    await all(this.#fronts.map(async (front) => front[Symbol.asyncDispose]()));
    await all(this.disks.filter(({ device }) => !device.readOnly).map(({ device }) => flush(device)));
    await all(this.disks.map((disk) => disk.close()));
    this.#beside?.[Symbol.dispose]();
    if (failures.length === 0) return;
    const why = failures.map(({ message }) => message).join("; ");
    throw new AttachError("SIPHON_ATTACH_DRAIN", `some images were not closed in order: ${why}`, {
      cause: new AggregateError(failures),
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drain();
  }
}

async function flush(device: BlockDevice): Promise<void> {
  const request = new FlushRequest();
  device.flush(request);
  await request.done.promise;
}

class FlushRequest extends ImageRequest {
  readonly done = Promise.withResolvers<void>();

  override completed(): void {
    if (this.result === 0) this.done.resolve();
    else this.done.reject(this.error ?? new Error(`flush failed with errno ${-this.result}`));
  }

  override fill(): void {}
  override take(): void {}
  override takeZeros(): void {}
}
