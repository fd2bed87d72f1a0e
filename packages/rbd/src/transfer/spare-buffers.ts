/**
 * A pool of buffers. New memory costs more than the work on it: each page is cleared and mapped when it is first
 * touched, and the garbage collector runs more often.
 */
export class SpareBuffers {
  /** By size. */
  readonly #spare = new Map<number, Buffer[]>();
  #spareBytes = 0;

  /** A buffer of this many bytes. */
  take(bytes: number): Buffer {
    const size = sizeFor(bytes);
    const spare = this.#spare.get(size)?.pop();
    if (spare === undefined) return Buffer.allocUnsafeSlow(size).subarray(0, bytes);
    this.#spareBytes -= size;
    return spare.subarray(0, bytes);
  }

  /** @param buffer an unused buffer that was taken, or its beginning */
  give({ buffer }: Buffer): void {
    const size = buffer.byteLength;
    if (this.#spareBytes + size > mostSpareBytes) return;
    this.#spareBytes += size;
    const spare = this.#spare.get(size) ?? [];
    spare.push(Buffer.from(buffer));
    this.#spare.set(size, spare);
  }
}

/** Few sizes, so that most buffers can be reused. */
function sizeFor(bytes: number): number {
  return Math.max(leastBytes, 2 ** Math.ceil(Math.log2(bytes)));
}

const leastBytes = 64 * 1024;
const mostSpareBytes = 128 * 1024 * 1024;
