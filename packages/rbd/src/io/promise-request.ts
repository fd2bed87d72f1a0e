import { CompareAndWriteRequest, ImageRequest, WriteSameRequest } from "./image-request.ts";

/** Settles a Promise. */
interface Settling {
  resolve(): void;
  reject(result: number, error: Error | undefined): void;
}

/** A read into, or write from, the caller's memory, for the Promise layer. */
export class BufferRequest extends ImageRequest {
  readonly #bytes: Uint8Array;
  readonly #settling: Settling;

  /** @param bytes as many as `length`; none for requests without data */
  constructor(offset: number, length: number, bytes: Uint8Array, settling: Settling) {
    super();
    this.offset = offset;
    this.length = length;
    this.#bytes = bytes;
    this.#settling = settling;
  }

  fill(into: Buffer, at: number, position: number, length: number): void {
    into.set(this.#bytes.subarray(position, position + length), at);
  }

  override dataInPlace(position: number, length: number): Uint8Array | undefined {
    return this.#bytes.subarray(position, position + length);
  }

  take(bytes: Buffer, start: number, end: number, position: number): void {
    this.#bytes.set(bytes.subarray(start, end), position);
  }

  takeZeros(position: number, length: number): void {
    this.#bytes.fill(0, position, position + length);
  }

  completed(): void {
    settle(this, this.#settling);
  }
}

/** Writes `pattern` over and over. */
export class PatternRequest extends WriteSameRequest {
  readonly #pattern: Uint8Array;
  readonly #settling: Settling;

  constructor(offset: number, length: number, pattern: Uint8Array, settling: Settling) {
    super();
    this.offset = offset;
    this.length = length;
    this.patternLength = pattern.length;
    this.#pattern = pattern;
    this.#settling = settling;
  }

  fill(into: Buffer, at: number, position: number, length: number): void {
    into.set(this.#pattern.subarray(position, position + length), at);
  }

  take(): void {}

  takeZeros(): void {}

  completed(): void {
    settle(this, this.#settling);
  }
}

/** Writes `bytes` if the image has `expected`. */
export class CompareRequest extends CompareAndWriteRequest {
  readonly #expected: Uint8Array;
  readonly #bytes: Uint8Array;
  readonly #settling: Settling;

  constructor(offset: number, expected: Uint8Array, bytes: Uint8Array, settling: Settling) {
    super();
    this.offset = offset;
    this.length = bytes.length;
    this.#expected = expected;
    this.#bytes = bytes;
    this.#settling = settling;
  }

  fill(into: Buffer, at: number, position: number, length: number): void {
    into.set(this.#bytes.subarray(position, position + length), at);
  }

  fillExpected(into: Buffer, at: number, position: number, length: number): void {
    into.set(this.#expected.subarray(position, position + length), at);
  }

  take(): void {}

  takeZeros(): void {}

  completed(): void {
    settle(this, this.#settling);
  }
}

function settle({ result, error }: ImageRequest, settling: Settling): void {
  if (result < 0) settling.reject(result, error);
  else settling.resolve();
}
