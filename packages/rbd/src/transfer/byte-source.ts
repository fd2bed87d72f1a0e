import { TransferError } from "./transfer-error.ts";

/**
 * Reads given numbers of bytes from a stream, and holds only the current portion: a slow reader slows the stream down.
 * Portions come from the stream (a file, standard input, a socket).
 */
export class ByteSource implements AsyncDisposable {
  readonly what: string;
  readonly #portions: AsyncIterator<Uint8Array>;
  #portion: Buffer = Buffer.alloc(0);
  /** Position of the next byte in `#portion`. */
  #at = 0;
  #position: number;

  /**
   * @param what name of the bytes, for error messages
   * @param position offset of the stream's first byte, if it does not begin at the start
   */
  constructor(bytes: AsyncIterable<Uint8Array>, what: string, position = 0) {
    this.#portions = bytes[Symbol.asyncIterator]();
    this.what = what;
    this.#position = position;
  }

  /** Offset of the next byte. */
  get position(): number {
    return this.#position;
  }

  /** The next `length` bytes in one piece; for small lengths. */
  async exactly(length: number): Promise<Buffer> {
    if (this.#portion.length - this.#at >= length) return this.#advance(length);
    const whole = Buffer.allocUnsafe(length);
    let filled = 0;
    for await (const part of this.take(length)) filled += part.copy(whole, filled);
    return whole;
  }

  /**
   * The next `length` bytes in portions, views of the stream's own.
   *
   * @throws TransferError SIPHON_TRANSFER_TRUNCATED if the source ends before
   */
  async *take(length: number): AsyncGenerator<Buffer, void, undefined> {
    for (let left = length; left > 0; ) {
      if (this.#at === this.#portion.length && !(await this.#more())) throw this.truncated(left);
      const part = this.#advance(Math.min(left, this.#portion.length - this.#at));
      left -= part.length;
      yield part;
    }
  }

  /** The rest of the stream's current portion, or its next one; empty at the end. */
  async portion(): Promise<Buffer> {
    if (this.#at === this.#portion.length) await this.#more();
    return this.#advance(this.#portion.length - this.#at);
  }

  /**
   * Starts to fill `into` with the next bytes; reading can continue at once.
   *
   * @returns a promise of the filled buffer
   */
  async fill(into: Buffer): Promise<() => Promise<void>> {
    let filled = 0;
    for await (const part of this.take(into.length)) filled += part.copy(into, filled);
    return async () => {};
  }

  async skip(length: number): Promise<void> {
    for await (const _ of this.take(length));
  }

  /** Whether the source has ended. */
  async atEnd(): Promise<boolean> {
    return this.#at === this.#portion.length && !(await this.#more());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#portions.return?.();
  }

  /** The error for content that no writer of the format produces; the caller throws it. */
  malformed(found: string): TransferError {
    return new TransferError(
      "SIPHON_TRANSFER_MALFORMED",
      `malformed ${this.what}: ${found}, before byte ${this.#position}`,
    );
  }

  /** Takes up to `length` bytes of the current portion. */
  protected takeHeld(length: number): Buffer {
    return this.#advance(Math.min(length, this.#portion.length - this.#at));
  }

  /** Skips bytes that the stream does not deliver. */
  protected passOver(length: number): void {
    this.#position += length;
  }

  /** @param at where it ends */
  protected truncated(missing: number, at = this.#position): TransferError {
    return new TransferError(
      "SIPHON_TRANSFER_TRUNCATED",
      `${this.what} ends at byte ${at}; ${missing} bytes are missing`,
      { hint: "it was not written or copied completely" },
    );
  }

  #advance(length: number): Buffer {
    const start = this.#at;
    this.#at += length;
    this.#position += length;
    return this.#portion.subarray(start, this.#at);
  }

  /** Fetches the next portion that is not empty; false at the end. */
  async #more(): Promise<boolean> {
    for (;;) {
      const { done, value } = await this.#portions.next();
      if (done) return false;
      if (value.length === 0) continue;
      this.#portion = Buffer.isBuffer(value)
        ? value
        : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      this.#at = 0;
      return true;
    }
  }
}
