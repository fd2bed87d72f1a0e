import type { RecordableHistogram } from "node:perf_hooks";
import type { ImageRequest } from "../io/image-request.ts";
import { createLatencyHistogram } from "../io/statistics.ts";
import { type ArrivalProcess, Arrivals } from "./arrivals.ts";
import { LoadSlot } from "./load-slot.ts";

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
  /** Requests in flight; at a given rate, the most of them. */
  readonly depth: number;
  /**
   * Requests a second, which arrive whether earlier ones are done or not (an open loop). One that finds `depth` requests in
   * flight waits for its turn, and its latency counts from its arrival. Undefined: as many as there is time for.
   */
  readonly rate?: number | undefined;
  /** Default: fixed. */
  readonly arrivals?: ArrivalProcess | undefined;
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
  /**
   * Requests at a given rate that still waited for their turn when the time was over: the image is slower than that rate.
   * They count with the latency that they had until then, but not as requests.
   */
  readonly behind: number;
  /** In nanoseconds. */
  readonly latency: RecordableHistogram;
}

/**
 * Keeps `depth` requests of one size in flight, as `rbd bench` does: each slot starts its next request in the completion of
 * the previous one. At a given rate a slot starts a request when one has arrived.
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
  #arrivals: Arrivals | undefined;
  /** Slots without a request. */
  readonly #idle: LoadSlot[] = [];
  #behind = 0;
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
    const { depth, seconds, signal, rate, arrivals = "fixed" } = this.#options;
    await using stopped = new AsyncDisposableStack();
    const slots = Array.from(
      { length: depth },
      (_, index) => new LoadSlot((slot) => this.#completed(slot), index, this.#options),
    );
    this.#idle.push(...slots.toReversed());
    if (rate !== undefined) {
      this.#arrivals = stopped.use(await Arrivals.start(rate, arrivals, () => this.#begin()));
    }
    this.#begun = performance.now();
    if (seconds !== undefined) {
      const timer = setTimeout(() => this.#end(), seconds * 1000);
      stopped.defer(() => clearTimeout(timer));
    }
    const abort = () => this.#end();
    signal?.addEventListener("abort", abort);
    stopped.defer(() => signal?.removeEventListener("abort", abort));
    if (signal?.aborted) this.#end();
    this.#begin();
    await this.#done.promise;
    signal?.throwIfAborted();
    const reads = this.#reads;
    const [behind, latency] = [this.#behind, this.#latency];
    return { ...this.progress, reads, writes: this.#requests - reads, behind, latency };
  }

  /** Begins the requests that have arrived, or as many as there are slots; notices the end. */
  #begin(): void {
    while (this.#idle.length > 0 && this.#goesOn()) {
      const now = performance.now();
      const arrived = this.#arrivals === undefined ? now : this.#arrivals.take(now);
      if (arrived === undefined) break;
      this.#next(this.#idle.pop()!, arrived);
    }
    if (!this.#goesOn() && this.#idle.length === this.#options.depth) this.#done.resolve();
  }

  #end(): void {
    if (this.#ended) return;
    // What has just arrived is not late.
    this.#begin();
    this.#ended = true;
    const now = performance.now();
    for (let left = this.#left; left > 0; left--) {
      const arrived = this.#arrivals?.take(now);
      if (arrived === undefined) break;
      this.#behind++;
      this.#record(now - arrived);
    }
    this.#begin();
  }

  #completed(slot: LoadSlot): void {
    this.#record(performance.now() - slot.begun);
    this.#requests++;
    if (slot.reads) this.#reads++;
    if (slot.result < 0) {
      this.#ended = true;
      this.#done.reject(slot.error ?? new Error(`a request at ${slot.offset} failed: ${slot.result}`));
    }
    this.#idle.push(slot);
    this.#begin();
  }

  #record(milliseconds: number): void {
    this.#latency.record(Math.max(1, Math.round(milliseconds * 1e6)));
  }

  #goesOn(): boolean {
    return !this.#ended && this.#left > 0;
  }

  #next(slot: LoadSlot, begun: number): void {
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
    slot.begun = begun;
    if (slot.reads) this.#target.read(slot);
    else this.#target.write(slot);
  }
}
