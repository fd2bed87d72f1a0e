/**
 * Buffers that are used again. Megabytes of new memory cost more than what is done with them: each page is cleared and mapped
 * when it is first touched, and the garbage collector goes through the whole heap the more often.
 */
export class SpareBuffers {
  /** By their size. */
  readonly #spare = new Map<number, Buffer[]>();
  #spareBytes = 0;

  /** One of this many bytes. */
  take(bytes: number): Buffer {
    const size = sizeFor(bytes);
    const spare = this.#spare.get(size)?.pop();
    if (spare === undefined) return Buffer.allocUnsafeSlow(size).subarray(0, bytes);
    this.#spareBytes -= size;
    return spare.subarray(0, bytes);
  }

  /** @param buffer that nobody uses any more: one that was taken, or its beginning */
  give({ buffer }: Buffer): void {
    const size = buffer.byteLength;
    if (this.#spareBytes + size > mostSpareBytes) return;
    this.#spareBytes += size;
    const spare = this.#spare.get(size) ?? [];
    spare.push(Buffer.from(buffer));
    this.#spare.set(size, spare);
  }
}

/** Few sizes, so that those of most requests fit others. */
function sizeFor(bytes: number): number {
  return Math.max(leastBytes, 2 ** Math.ceil(Math.log2(bytes)));
}

const leastBytes = 64 * 1024;
const mostSpareBytes = 128 * 1024 * 1024;
