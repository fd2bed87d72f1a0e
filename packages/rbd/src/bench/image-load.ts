import { randomFillSync } from "node:crypto";
import type { RecordableHistogram } from "node:perf_hooks";
import { ImageRequest } from "../io/image-request.ts";
import { createLatencyHistogram } from "../io/statistics.ts";

/** The parts of an image that a load uses. */
export interface LoadTarget {
  /** In bytes. */
  readonly size: number;
  read(request: ImageRequest): void;
  write(request: ImageRequest): void;
}

export interface LoadOptions {
  readonly type: "read" | "write" | "readwrite";
  /** Bytes of a request. */
  readonly size: number;
  /** Requests in flight. */
  readonly depth: number;
  /**
   * Random; or sequential, each of the `depth` requests in flight going through a part of the image of its own, as
   * `rbd bench` does; or sequential as one stream (`full-seq`).
   */
  readonly pattern: "rand" | "seq" | "full-seq";
  /** Total bytes after which the load ends. */
  readonly total?: number | undefined;
  /** Seconds after which the load ends. */
  readonly seconds?: number | undefined;
  /** Per cent of the requests that read, of type readwrite. */
  readonly readPercent?: number | undefined;
  /** The range of the image that a sequential load covers, as fractions: 0 to 1 for the whole image. */
  readonly part?: { readonly from: number; readonly to: number } | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The result of a load so far. */
export interface LoadProgress {
  readonly seconds: number;
  readonly requests: number;
  readonly bytes: number;
}

export interface LoadResult extends LoadProgress {
  readonly reads: number;
  readonly writes: number;
  /** In nanoseconds. */
  readonly latency: RecordableHistogram;
}

/**
 * Keeps `depth` requests of one size in flight, as `rbd bench` does. Each slot has its own buffer for reads and writes,
 * and starts its next request in the completion of the previous one.
 */
export class ImageLoad {
  readonly #target: LoadTarget;
  readonly #options: LoadOptions;
  readonly #latency = createLatencyHistogram();
  readonly #done = Promise.withResolvers<void>();
  readonly #blocks: number;
  readonly #firstBlock: number;
  #begun = 0;
  #left: number;
  #running = 0;
  #requests = 0;
  #reads = 0;
  #position = 0;
  #ended = false;

  /** @throws RangeError if the image is smaller than one request */
  constructor(target: LoadTarget, options: LoadOptions) {
    this.#target = target;
    this.#options = options;
    const blocks = Math.floor(target.size / options.size);
    const { from, to } = (options.pattern !== "rand" && options.part) || { from: 0, to: 1 };
    this.#firstBlock = Math.min(Math.floor(blocks * from), blocks - 1);
    this.#blocks = Math.max(1, Math.floor(blocks * to) - this.#firstBlock);
    if (blocks === 0) {
      throw new RangeError(
        `the image has ${target.size} bytes, less than one request of ${options.size} bytes`,
      );
    }
    this.#left =
      options.total === undefined ? Number.POSITIVE_INFINITY : Math.ceil(options.total / options.size);
  }

  get progress(): LoadProgress {
    return {
      seconds: (performance.now() - this.#begun) / 1000,
      requests: this.#requests,
      bytes: this.#requests * this.#options.size,
    };
  }

  /** Runs the load to its end; fails with the first request that fails. */
  async run(): Promise<LoadResult> {
    const { depth, seconds, signal } = this.#options;
    this.#begun = performance.now();
    const end = () => {
      this.#ended = true;
    };
    using stopped = new DisposableStack();
    if (seconds !== undefined) {
      const timer = setTimeout(end, seconds * 1000);
      stopped.defer(() => clearTimeout(timer));
    }
    signal?.addEventListener("abort", end);
    stopped.defer(() => signal?.removeEventListener("abort", end));
    const slots = Array.from(
      { length: depth },
      (_, index) => new Slot((slot) => this.#completed(slot), index, this.#options),
    );
    for (const slot of slots) {
      if (!this.#goesOn()) break;
      this.#running++;
      this.#next(slot);
    }
    if (this.#running === 0) this.#done.resolve();
    await this.#done.promise;
    signal?.throwIfAborted();
    const reads = this.#reads;
    return { ...this.progress, reads, writes: this.#requests - reads, latency: this.#latency };
  }

  #completed(slot: Slot): void {
    this.#latency.record(Math.max(1, Math.round((performance.now() - slot.begun) * 1e6)));
    this.#requests++;
    if (slot.reads) this.#reads++;
    if (slot.result < 0) {
      this.#ended = true;
      this.#done.reject(slot.error ?? new Error(`a request at ${slot.offset} failed: ${slot.result}`));
    }
    if (this.#goesOn()) this.#next(slot);
    else if (--this.#running === 0) this.#done.resolve();
  }

  #goesOn(): boolean {
    return !this.#ended && this.#left > 0;
  }

  #next(slot: Slot): void {
    const { type, size, pattern, readPercent = 50 } = this.#options;
    this.#left--;
    const block =
      pattern === "rand"
        ? Math.floor(Math.random() * this.#blocks)
        : pattern === "seq"
          ? slot.nextBlock(this.#blocks)
          : this.#position++ % this.#blocks;
    slot.offset = (this.#firstBlock + block) * size;
    slot.length = size;
    slot.reads = type === "read" || (type === "readwrite" && Math.random() * 100 < readPercent);
    slot.begun = performance.now();
    if (slot.reads) this.#target.read(slot);
    else this.#target.write(slot);
  }
}

/** One of the requests that are kept in flight. */
class Slot extends ImageRequest {
  begun = 0;
  reads = false;
  readonly #done: (slot: Slot) => void;
  readonly #index: number;
  readonly #depth: number;
  readonly #memory: Buffer;
  #turn = 0;

  constructor(done: (slot: Slot) => void, index: number, { size, depth }: LoadOptions) {
    super();
    this.#done = done;
    this.#index = index;
    this.#depth = depth;
    this.#memory = randomFillSync(Buffer.allocUnsafeSlow(size));
  }

  /** The next block of the slot's part of the image. */
  nextBlock(blocks: number): number {
    const share = Math.max(1, Math.floor(blocks / this.#depth));
    return (this.#index * share + (this.#turn++ % share)) % blocks;
  }

  fill(into: Buffer, at: number, position: number, length: number): void {
    this.#memory.copy(into, at, position, position + length);
  }

  take(bytes: Buffer, start: number, end: number, position: number): void {
    bytes.copy(this.#memory, position, start, end);
  }

  takeZeros(position: number, length: number): void {
    this.#memory.fill(0, position, position + length);
  }

  completed(): void {
    this.#done(this);
  }
}
