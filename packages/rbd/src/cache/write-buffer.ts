import { errno } from "@siphon/wire";
import { ImageRequest, tellCompleted } from "../io/image-request.ts";

/** Where buffered writes go. */
export interface BufferedTarget {
  /** Whether a write would be held back now, so that it must not be acknowledged early. */
  readonly holdsWrites: boolean;
  write(request: ImageRequest): void;
}

/**
 * Writes that are acknowledged before they are durable (as in src/librbd/cache/WriteAroundObjectDispatch.cc). The
 * buffer keeps their data until they are durable; the next flush reports failures. When the buffer is full, writes are
 * not acknowledged early.
 */
export class WriteBuffer {
  readonly #target: BufferedTarget;
  readonly #limit: number;
  readonly #writes = new Set<BufferedWrite>();
  #bytes = 0;
  /** This client is on the blocklist: writes no longer arrive, and nothing is acknowledged. */
  #fenced = false;
  #failure: Failure | undefined;
  /** Number of failures of acknowledged writes, and how many of them each client has been told. */
  #failures = 0;
  readonly #known = new WeakMap<object, number>();
  /** Some client was told of the last failure. */
  #told = true;
  #acknowledged: ImageRequest[] = [];
  readonly #tell = () => {
    const requests = this.#acknowledged;
    this.#acknowledged = [];
    for (const request of requests) {
      request.result = 0;
      request.error = undefined;
      tellCompleted(request);
    }
  };

  /** @param limit bytes that may be kept at once */
  constructor(target: BufferedTarget, limit: number) {
    this.#target = target;
    this.#limit = limit;
  }

  /**
   * Takes a write that lies within the image.
   *
   * @returns its data, which stays unchanged; undefined if the write is not buffered
   */
  take(request: ImageRequest): Buffer | undefined {
    const { length } = request;
    if (this.#fenced || length === 0 || this.#bytes + length > this.#limit || this.#target.holdsWrites)
      return undefined;
    const client = request.client ?? this;
    // A client is told of failures after its first write.
    if (!this.#known.has(client)) this.#known.set(client, this.#failures);
    const write = new BufferedWrite(request, () => this.#written(write));
    this.#bytes += length;
    this.#writes.add(write);
    this.#target.write(write);
    if (this.#acknowledged.push(request) === 1) setImmediate(this.#tell);
    return write.data;
  }

  /** Calls `done` when no overlapping write is in flight; false, without a call, if there is none. */
  whenWritten(offset: number, length: number, done: () => void): boolean {
    for (const write of this.#writes) {
      if (write.offset >= offset + length || write.offset + write.length <= offset) continue;
      write.waiting.push(done);
      return true;
    }
    return false;
  }

  /**
   * The failure of acknowledged writes. Each client gets it once, even if its own writes did not fail, because one
   * client's flush covers the writes of all. A client that has written nothing gets only a failure that no client has
   * got yet.
   */
  takeFailure(client: object = this): Failure | undefined {
    const known = this.#known.get(client) ?? (this.#told ? this.#failures : this.#failures - 1);
    this.#known.set(client, this.#failures);
    if (known >= this.#failures) return undefined;
    this.#told = true;
    return this.#failure;
  }

  #written(write: BufferedWrite): void {
    this.#writes.delete(write);
    this.#bytes -= write.data.length;
    if (write.result === -errno.ESHUTDOWN) this.#fenced = true;
    if (write.result < 0) {
      this.#failure = { result: write.result, error: write.error };
      this.#failures++;
      this.#told = false;
    }
    for (const done of write.waiting) done();
  }
}

interface Failure {
  readonly result: number;
  readonly error: Error | undefined;
}

/** A write whose caller has its acknowledgement. */
export class BufferedWrite extends ImageRequest {
  readonly data: Buffer;
  readonly waiting: (() => void)[] = [];
  readonly #done: () => void;

  constructor(request: ImageRequest, done: () => void) {
    super();
    this.offset = request.offset;
    this.length = request.length;
    this.data = Buffer.allocUnsafe(request.length);
    request.fill(this.data, 0, 0, request.length);
    this.#done = done;
  }

  fill(into: Buffer, at: number, position: number, length: number): void {
    this.data.copy(into, at, position, position + length);
  }

  take(): void {}

  takeZeros(): void {}

  completed(): void {
    this.#done();
  }
}
