import type { CopySource } from "@siphon/rados";
import { errno } from "@siphon/wire";
import { ImageCache } from "../cache/image-cache.ts";
import { RbdError, requestFailure } from "../errors.ts";
import type { CompareAndWriteRequest, ImageRequest, WriteSameRequest } from "../io/image-request.ts";
import { ObjectCopy } from "../io/object-copy.ts";
import { BufferRequest, CompareRequest, PatternRequest } from "../io/promise-request.ts";
import type { IoCounters, Latencies } from "../io/statistics.ts";
import type { OpenImage } from "./open-image.ts";

/**
 * The bytes of an open image. Each operation has two forms: with a request that the caller owns (`ImageRequest`), which is called back and
 * costs no Promise, and with bytes and a Promise.
 */
export class ImageBytes {
  readonly #image: OpenImage;

  constructor(image: OpenImage) {
    this.#image = image;
  }

  /** Current size in bytes, of the snapshot if one was opened. */
  get size(): number {
    return this.#image.io.size;
  }

  /** Whether the image was opened read-only, or at a snapshot. */
  get readOnly(): boolean {
    return this.#image.readOnly;
  }

  /** Whether a cache acknowledges writes that are durable only after the next flush. */
  get volatile(): boolean {
    const { front } = this.#image;
    return front instanceof ImageCache && front.volatile;
  }

  /** Size of an object, in bytes. */
  get optimalIoSize(): number {
    return this.#image.header.objectSize;
  }

  /** Requests and bytes since the image was opened. */
  get counters(): IoCounters {
    return this.#image.io.counters;
  }

  /** Latencies of requests since the image was opened, in nanoseconds, by kind of request. */
  get latencies(): Latencies {
    return this.#image.io.latencies;
  }

  read(request: ImageRequest): void;
  /**
   * @returns fewer bytes at the end of the image
   * @throws RbdError SIPHON_RBD_INVALID for an offset beyond the end
   */
  read(offset: number, length: number): Promise<Buffer>;
  read(request: ImageRequest | number, length = 0): undefined | Promise<Buffer> {
    const { front: io } = this.#image;
    if (typeof request !== "number") {
      io.read(request);
      return;
    }
    const { size } = this;
    if (length > 0 && request >= size) {
      const message = `image ${this.#image.header.name} has ${size} bytes: nothing to read at ${request}`;
      return Promise.reject(new RbdError("SIPHON_RBD_INVALID", message));
    }
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - request)));
    return this.#promised("read", (settling) => {
      const into = new BufferRequest(request, bytes.length, bytes, settling);
      io.read(into);
      return into;
    }).then(({ length: got }) => bytes.subarray(0, got));
  }

  write(request: ImageRequest): void;
  /** @param bytes must stay as they are until the Promise settles */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  write(request: ImageRequest | number, bytes?: Uint8Array): undefined | Promise<void> {
    const { front: io } = this.#image;
    if (typeof request !== "number") {
      io.write(request);
      return;
    }
    return this.#done("write", (settling) => {
      io.write(new BufferRequest(request, bytes!.length, bytes!, settling));
    });
  }

  flush(request: ImageRequest): void;
  /** Makes all earlier writes durable. */
  flush(): Promise<void>;
  flush(request?: ImageRequest): undefined | Promise<void> {
    const { front: io } = this.#image;
    if (request !== undefined) {
      io.flush(request);
      return;
    }
    return this.#done("flush", (settling) => io.flush(new BufferRequest(0, 0, nothing, settling)));
  }

  /**
   * Makes an object of the image a copy of another object, copied by the OSDs. For images that are not striped and have
   * no parent.
   *
   * @throws RadosError ENOENT if there is no such object
   */
  copyObject(objectNumber: number, source: CopySource): Promise<void> {
    const { io, header } = this.#image;
    return this.#done("copy an object to", (settling) => {
      io.write(new ObjectCopy(objectNumber * header.objectSize, header.objectSize, source, settling));
    });
  }

  discard(request: ImageRequest): void;
  /** Discards a range: it reads as zeros afterwards; at the ends of the range the old bytes may stay. */
  discard(offset: number, length: number): Promise<void>;
  discard(request: ImageRequest | number, length = 0): undefined | Promise<void> {
    const { front: io } = this.#image;
    if (typeof request !== "number") {
      io.discard(request);
      return;
    }
    return this.#done("discard", (settling) => {
      io.discard(new BufferRequest(request, length, nothing, settling));
    });
  }

  writeZeroes(request: ImageRequest): void;
  /** @param options.thick allocates the space; otherwise it is freed */
  writeZeroes(offset: number, length: number, options?: { thick?: boolean }): Promise<void>;
  writeZeroes(
    request: ImageRequest | number,
    length = 0,
    { thick = false }: { thick?: boolean } = {},
  ): undefined | Promise<void> {
    const { front: io } = this.#image;
    if (typeof request !== "number") {
      io.writeZeroes(request);
      return;
    }
    if (thick) return this.writeSame(request, length, zeros(length));
    return this.#done("write zeros to", (settling) => {
      io.writeZeroes(new BufferRequest(request, length, nothing, settling));
    });
  }

  writeSame(request: WriteSameRequest): void;
  /** @param length a multiple of the pattern's */
  writeSame(offset: number, length: number, pattern: Uint8Array): Promise<void>;
  writeSame(request: WriteSameRequest | number, length = 0, pattern?: Uint8Array): undefined | Promise<void> {
    const { front: io } = this.#image;
    if (typeof request !== "number") {
      io.writeSame(request);
      return;
    }
    return this.#done("write to", (settling) => {
      io.writeSame(new PatternRequest(request, length, pattern!, settling));
    });
  }

  compareAndWrite(request: CompareAndWriteRequest): void;
  /**
   * Writes `bytes` if the image has `expected`, within 512 bytes that start at a multiple of 512.
   *
   * @returns undefined if it was written, or else the offset of the first byte that differs
   */
  compareAndWrite(offset: number, expected: Uint8Array, bytes: Uint8Array): Promise<number | undefined>;
  compareAndWrite(
    request: CompareAndWriteRequest | number,
    expected?: Uint8Array,
    bytes?: Uint8Array,
  ): undefined | Promise<number | undefined> {
    const { front: io } = this.#image;
    if (typeof request !== "number") {
      io.compareAndWrite(request);
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    const compare: CompareRequest = new CompareRequest(request, expected!, bytes!, {
      resolve: () => resolve(undefined),
      reject: (result, error) => {
        if (result === mismatch) resolve(compare.mismatchOffset);
        else reject(this.#failed("compare and write", result, error));
      },
    });
    io.compareAndWrite(compare);
    return promise;
  }

  /** @throws the error of acknowledged writes that failed */
  protected async flushCache(): Promise<void> {
    const { front, io, readOnly, isClosed, header } = this.#image;
    if (front === io || readOnly || isClosed) return;
    const what = `acknowledged writes in the cache of image ${header.name} failed`;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const failed = (result: number, error: Error | undefined) => reject(requestFailure(what, result, error));
    front.flush(new BufferRequest(0, 0, nothing, { resolve, reject: failed }));
    await promise;
  }

  #done(what: string, start: (settling: Settling) => void): Promise<void> {
    return this.#promised(what, start).then(() => {});
  }

  #promised<Started>(what: string, start: (settling: Settling) => Started): Promise<Started> {
    const { promise, resolve, reject } = Promise.withResolvers<Started>();
    const started: Started = start({
      resolve: () => resolve(started),
      reject: (result, error) => reject(this.#failed(what, result, error)),
    });
    return promise;
  }

  #failed(what: string, result: number, error: Error | undefined): Error {
    return requestFailure(`cannot ${what} image ${this.#image.header.name}`, result, error);
  }
}

interface Settling {
  resolve(): void;
  reject(result: number, error: Error | undefined): void;
}

/** A pattern of zeros that fills this many bytes. */
function zeros(length: number): Buffer {
  return Buffer.alloc(length % 512 === 0 ? 512 : 1);
}

const nothing = Buffer.alloc(0);
const mismatch = -errno.EILSEQ;
