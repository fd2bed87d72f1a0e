import { errno } from "@siphon/wire";
import { ImageRequest, tellCompleted } from "../io/image-request.ts";

/** Where buffered writes go. */
export interface BufferedTarget {
  /** A write given to it now would be held back, so that it must not be acknowledged. */
  readonly holdsWrites: boolean;
  write(request: ImageRequest): void;
}

/**
 * Writes that are acknowledged before they last (as src/librbd/cache/WriteAroundObjectDispatch.cc does): their data is kept here
 * until they do, and a failure is told by the next flush. Once as much is kept as is allowed, writes are not
 * acknowledged early any more.
 */
export class WriteBuffer {
  readonly #target: BufferedTarget;
  readonly #limit: number;
  readonly #writes = new Set<BufferedWrite>();
  #bytes = 0;
  /** This client is on the blocklist: nothing that is written lasts any more, and nothing is acknowledged. */
  #fenced = false;
  #failure: Failure | undefined;
  /** How often writes failed that had been acknowledged, and how many of these failures each client knows of. */
  #failures = 0;
  readonly #known = new WeakMap<object, number>();
  /** Somebody was told of the last one. */
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
   * @returns its data, which stays as it is; undefined if it is to go the ordinary way
   */
  take(request: ImageRequest): Buffer | undefined {
    const { length } = request;
    if (this.#fenced || length === 0 || this.#bytes + length > this.#limit || this.#target.holdsWrites)
      return undefined;
    const client = request.client ?? this;
    // From its first write on a client is told of failures.
    if (!this.#known.has(client)) this.#known.set(client, this.#failures);
    const write = new BufferedWrite(request, () => this.#written(write));
    this.#bytes += length;
    this.#writes.add(write);
    this.#target.write(write);
    if (this.#acknowledged.push(request) === 1) setImmediate(this.#tell);
    return write.data;
  }

  /** Calls `done` when no write that overlaps is under way; false, and nobody is called, if there is none. */
  whenWritten(offset: number, length: number, done: () => void): boolean {
    for (const write of this.#writes) {
      if (write.offset >= offset + length || write.offset + write.length <= offset) continue;
      write.waiting.push(done);
      return true;
    }
    return false;
  }

  /**
   * The failure of writes that had been acknowledged. Each client gets it once, also one whose writes were not among them, since
   * one client's flush makes the writes of all durable. A client that has written nothing gets only a failure that no client has
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

/** A write that its caller takes for done. */
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
