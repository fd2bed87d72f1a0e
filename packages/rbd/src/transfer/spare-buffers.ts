/**
 * Buffers that are used again. Megabytes of new memory cost more than what is done with them: each page is cleared and mapped
 * when it is first touched, and garbage collection runs the more often.
 */
export class SpareBuffers {
  readonly #spare: Buffer[] = [];

  /** One of at least so many bytes. */
  take(bytes: number): Buffer {
    const spare = this.#spare.pop();
    return spare !== undefined && spare.length >= bytes ? spare : Buffer.allocUnsafeSlow(bytes);
  }

  /** @param buffer that nobody uses any more: one that was taken, or its beginning */
  give(buffer: Buffer): void {
    this.#spare.push(Buffer.from(buffer.buffer, buffer.byteOffset));
  }
}
