import type { ImageIo } from "../io/image-io.ts";
import {
  type CompareAndWriteRequest,
  ImageRequest,
  tellCompleted,
  type WriteSameRequest,
} from "../io/image-request.ts";
import { PageCache, pageSize } from "./page-cache.ts";
import { BufferedWrite, WriteBuffer } from "./write-buffer.ts";

/**
 * rbd_cache_policy. `writethrough` caches read data; `writearound` acknowledges writes before they are durable, until a
 * flush; `writeback` does both, and caches written data as well.
 */
export type CachePolicy = "writethrough" | "writearound" | "writeback";

export interface CacheOptions {
  readonly policy: CachePolicy;
  /** Bytes of cached data (rbd_cache_size); default 32 MiB. */
  readonly size?: number | undefined;
  /** Bytes that may be acknowledged before they are durable (rbd_cache_max_dirty); default 24 MiB. */
  readonly maxDirty?: number | undefined;
  /**
   * Until the first flush, writes are acknowledged when they are durable: a client that never flushes loses nothing.
   */
  readonly writethroughUntilFlush?: boolean | undefined;
}

type Requests = Pick<
  ImageIo,
  "read" | "write" | "discard" | "writeZeroes" | "writeSame" | "compareAndWrite" | "flush"
>;

/**
 * A cache in front of an image's I/O. It drops cached data whenever others may have changed the image: with a new
 * header, and when the lock is released. A flush makes everything acknowledged before it durable.
 */
export class ImageCache implements Requests {
  readonly #io: ImageIo;
  readonly #pages: PageCache | undefined;
  readonly #buffer: WriteBuffer | undefined;
  /** Reads whose pages will be cached, unless a write overtakes them. */
  readonly #fetches = new Set<Fetch>();
  #generation: number;
  /** The writer flushes, or is assumed to. */
  #flushes: boolean;
  #served: ImageRequest[] = [];
  readonly #tellServed = () => {
    const served = this.#served;
    this.#served = [];
    for (const request of served) {
      request.result = 0;
      request.error = undefined;
      tellCompleted(request);
    }
  };

  constructor(io: ImageIo, options: CacheOptions) {
    const { policy, size = 32 * mib, maxDirty = 24 * mib, writethroughUntilFlush = false } = options;
    this.#io = io;
    this.#flushes = !writethroughUntilFlush;
    this.#generation = io.generation;
    if (policy !== "writearound") this.#pages = new PageCache(size);
    if (policy !== "writethrough") this.#buffer = new WriteBuffer(io, maxDirty);
    io.onChanged = (request) => {
      // Written bytes are in the pages from their acknowledgement on.
      const known = request instanceof BufferedWrite && request.result === 0;
      if (!known) this.#forget(request.offset, request.length);
    };
  }

  /** Whether writes are acknowledged before they are durable. */
  get volatile(): boolean {
    return this.#buffer !== undefined;
  }

  read(request: ImageRequest): void {
    const { offset, length } = request;
    const pages = this.#current();
    const within = length > 0 && offset >= 0 && offset + length <= this.#io.size;
    if (within && pages?.serve(request)) {
      if (this.#served.push(request) === 1) setImmediate(this.#tellServed);
      return;
    }
    // Whole pages are read, so writes in flight beside the requested bytes overlap with them.
    const start = offset - (offset % pageSize);
    const end = Math.ceil((offset + length) / pageSize) * pageSize;
    if (this.#buffer?.whenWritten(start, end - start, () => this.read(request))) return;
    if (pages === undefined || !within) {
      this.#io.read(request);
      return;
    }
    const fetch = new Fetch(request, this.#io.size, () => {
      this.#fetches.delete(fetch);
      if (!fetch.overtaken && fetch.result === 0) this.#pages!.insert(fetch.offset, fetch.bytes);
    });
    this.#fetches.add(fetch);
    this.#io.read(fetch);
  }

  write(request: ImageRequest): void {
    const { offset, length } = request;
    const within = offset >= 0 && offset + length <= this.#io.size;
    const taken = within && this.#flushes && !this.#io.readOnly ? this.#buffer?.take(request) : undefined;
    if (taken === undefined) {
      this.#forget(offset, length);
      this.#io.write(request);
    } else {
      this.#overtake(offset, length);
      this.#current()?.update(offset, taken);
    }
  }

  discard(request: ImageRequest): void {
    this.#forget(request.offset, request.length);
    this.#io.discard(request);
  }

  writeZeroes(request: ImageRequest): void {
    this.#forget(request.offset, request.length);
    this.#io.writeZeroes(request);
  }

  writeSame(request: WriteSameRequest): void {
    this.#forget(request.offset, request.length);
    this.#io.writeSame(request);
  }

  compareAndWrite(request: CompareAndWriteRequest): void {
    this.#forget(request.offset, request.length);
    this.#io.compareAndWrite(request);
  }

  flush(request: ImageRequest): void {
    this.#flushes = true;
    this.#io.flush(this.#buffer === undefined ? request : new BufferFlush(request, this.#buffer));
  }

  /** The pages, if they are valid. */
  #current(): PageCache | undefined {
    if (this.#generation !== this.#io.generation) {
      this.#generation = this.#io.generation;
      this.#pages?.clear();
      for (const fetch of this.#fetches) fetch.overtaken = true;
    }
    return this.#io.isExclusive ? this.#pages : undefined;
  }

  /** Called before and after a change: reads in between may have seen either. */
  #forget(offset: number, length: number): void {
    if (this.#pages === undefined || length <= 0) return;
    this.#pages.forget(offset, length);
    this.#overtake(offset, length);
  }

  /** Reads in flight cache no pages with these bytes. */
  #overtake(offset: number, length: number): void {
    for (const fetch of this.#fetches) {
      if (fetch.offset < offset + length && offset < fetch.offset + fetch.bytes.length)
        fetch.overtaken = true;
    }
  }
}

/** A read of whole pages around what is requested. */
class Fetch extends ImageRequest {
  /** The image changed after the read began. */
  overtaken = false;
  readonly bytes: Buffer;
  readonly #request: ImageRequest;
  readonly #done: () => void;

  constructor(request: ImageRequest, size: number, done: () => void) {
    super();
    const end = request.offset + request.length;
    this.offset = request.offset - (request.offset % pageSize);
    this.length = Math.min(Math.ceil(end / pageSize) * pageSize, size) - this.offset;
    this.bytes = Buffer.allocUnsafe(this.length);
    this.#request = request;
    this.#done = done;
  }

  fill(): void {}

  take(bytes: Buffer, start: number, end: number, position: number): void {
    bytes.copy(this.bytes, position, start, end);
  }

  takeZeros(position: number, length: number): void {
    this.bytes.fill(0, position, position + length);
  }

  completed(): void {
    const request = this.#request;
    const start = request.offset - this.offset;
    if (this.result === 0) request.take(this.bytes, start, start + request.length, 0);
    request.result = this.result;
    request.error = this.error;
    this.#done();
    tellCompleted(request);
  }
}

/** Fails if an acknowledged write failed. */
class BufferFlush extends ImageRequest {
  readonly #request: ImageRequest;
  readonly #buffer: WriteBuffer;

  constructor(request: ImageRequest, buffer: WriteBuffer) {
    super();
    this.#request = request;
    this.#buffer = buffer;
  }

  fill(): void {}

  take(): void {}

  takeZeros(): void {}

  completed(): void {
    const { result, error } = this.#buffer.takeFailure(this.#request.client) ?? this;
    this.#request.result = result;
    this.#request.error = error;
    tellCompleted(this.#request);
  }
}

const mib = 2 ** 20;
