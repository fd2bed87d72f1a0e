import { ImageRequest } from "@siphon/rbd";
import type { BlockDevice } from "../block-device.ts";
import type { ExtentSource } from "../extent-source.ts";
import type { IoMetrics } from "./io-metrics.ts";

/** A disk that is being served, by one front end or several. */
export interface ServedDisk {
  /** `POOL/IMAGE` or `POOL/IMAGE@SNAP`. */
  readonly name: string;
  /** What a guest knows the disk by, whatever its name: at most 20 bytes. */
  readonly serial: string;
  readonly device: BlockDevice;
  readonly extents: ExtentSource | undefined;
  readonly metrics: IoMetrics;
  /** Lets go of the disk, and of its lock. */
  close(): Promise<void>;
}

/** Disks and the sockets they are served on, and the order in which they end. */
export class DiskServer {
  readonly disks: readonly ServedDisk[];
  readonly #fronts: readonly AsyncDisposable[];

  /** @param fronts end, when disposed, once all requests they took are answered */
  constructor(disks: readonly ServedDisk[], fronts: readonly AsyncDisposable[]) {
    this.disks = disks;
    this.#fronts = fronts;
  }

  /**
   * Loses nothing: no more requests are taken, those in flight are finished, all is made to last, and only then the disks are
   * let go of. Throws an AggregateError of everything that went wrong on the way, which is gone in spite of it.
   */
  async drain(): Promise<void> {
    const failures: unknown[] = [];
    const all = async (work: Promise<void>[]): Promise<void> => {
      for (const { status, ...rest } of await Promise.allSettled(work)) {
        if (status === "rejected" && "reason" in rest) failures.push(rest.reason);
      }
    };
    await all(this.#fronts.map(async (front) => front[Symbol.asyncDispose]()));
    await all(this.disks.filter(({ device }) => !device.readOnly).map(({ device }) => flush(device)));
    await all(this.disks.map((disk) => disk.close()));
    if (failures.length > 0) throw new AggregateError(failures, "the disks could not be put away in order");
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
