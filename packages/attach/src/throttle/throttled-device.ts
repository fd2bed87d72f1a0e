import type { ImageRequest } from "@siphon/rbd/engine";
import { longestTimer } from "@siphon/wire";
import type { BlockDevice } from "../block-device.ts";
import { DeviceLayer } from "../device-layer.ts";
import { type IoMetrics, ioKind } from "../server/io-metrics.ts";
import { type DiskLimits, limitNames } from "./disk-limits.ts";
import { sharedBuckets, sharedNow } from "./shared-buckets.ts";
import { LimitBuckets } from "./token-bucket.ts";
import { WaitingRequests } from "./waiting-requests.ts";

/**
 * A disk whose requests obey its limits. Reads wait in one queue and changes in another, each in order of arrival; for
 * a limit of both, the earlier request goes first. Flushes do not wait. A discard counts as one I/O without bytes, and
 * so do zeros that are not written as data.
 */
export class ThrottledDevice extends DeviceLayer {
  readonly #metrics: IoMetrics;
  readonly #buckets: readonly LimitBuckets[];
  readonly #now: () => number;
  readonly #reads = new WaitingRequests();
  readonly #writes = new WaitingRequests();
  #isOpen = true;
  #turn = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #awake = () => {
    this.#timer = undefined;
    this.#letPass();
  };

  /** @param shared memory of the limits, if other threads serve the disk as well */
  constructor(device: BlockDevice, metrics: IoMetrics, shared?: SharedArrayBuffer) {
    super(device);
    this.#metrics = metrics;
    this.#buckets = shared === undefined ? limitNames.map(() => new LimitBuckets()) : sharedBuckets(shared);
    this.#now = shared === undefined ? () => performance.now() : sharedNow;
  }

  /** Sets the limits; a missing one does not apply. Waiting requests follow the new limits. */
  limit(limits: DiskLimits): void {
    const now = this.#now();
    for (const [index, name] of limitNames.entries()) this.#buckets[index]!.set(limits[name], now);
    this.#isOpen = this.#buckets.every(({ isOpen }) => isOpen);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#letPass();
  }

  read(request: ImageRequest): void {
    this.#enter(this.#reads, request, ioKind.read);
  }

  write(request: ImageRequest): void {
    this.#enter(this.#writes, request, ioKind.write);
  }

  discard(request: ImageRequest): void {
    this.#enter(this.#writes, request, ioKind.discard);
  }

  writeZeroes(request: ImageRequest): void {
    this.#enter(this.#writes, request, ioKind.writeZeroes);
  }

  flush(request: ImageRequest): void {
    this.device.flush(request);
  }

  #enter(row: WaitingRequests, request: ImageRequest, kind: number): void {
    if (this.#isOpen) {
      this.begin(request, kind);
      return;
    }
    const before = row.length;
    row.push(request, kind, this.#turn++);
    this.#metrics.inLimits++;
    // The first waiting request has a timer; those behind it need none.
    if (before === 0) this.#letPass();
    if (row.length > before) this.#metrics.throttled++;
  }

  #letPass(): void {
    const now = this.#now();
    for (;;) {
      const readsFirst = this.#reads.turn < this.#writes.turn;
      const first = readsFirst ? this.#reads : this.#writes;
      const second = readsFirst ? this.#writes : this.#reads;
      if (first.length === 0) return;
      const wait = this.#tryFirst(first, now);
      if (wait === 0) continue;
      const other = second.length === 0 ? Number.POSITIVE_INFINITY : this.#tryFirst(second, now);
      if (other === 0) continue;
      this.#timer ??= setTimeout(this.#awake, Math.max(1, Math.min(wait, other, longestTimer)));
      return;
    }
  }

  /** Starts the first request of a queue, or returns the milliseconds that it must wait. */
  #tryFirst(row: WaitingRequests, now: number): number {
    const { request, kind } = row;
    const direction = row === this.#reads ? 1 : 2;
    const buckets = this.#buckets;
    const [all, own] = [buckets[0]!, buckets[direction]!];
    const [allBytes, ownBytes] = [buckets[bytesFrom]!, buckets[bytesFrom + direction]!];
    const wait = Math.max(all.wait(now), own.wait(now), allBytes.wait(now), ownBytes.wait(now));
    if (wait > 0) return wait;
    all.take(1);
    own.take(1);
    const hasBytes = kind === ioKind.read || kind === ioKind.write || this.#writesZeros(kind);
    const bytes = hasBytes ? request.length : 0;
    allBytes.take(bytes);
    ownBytes.take(bytes);
    row.shift();
    this.#metrics.inLimits--;
    this.begin(request, kind);
    return 0;
  }

  #writesZeros(kind: number): boolean {
    return kind === ioKind.writeZeroes && this.device.writesZerosAsData === true;
  }
}

/** Limits of bytes follow those of I/Os: of all, reads, writes. */
const bytesFrom = 3;
