import { type ChecksumBuffer, crc32c } from "@siphon/wire";

/**
 * Memory in which frames are parsed or built, with the views of the data path: bytes, integers, checksums of parts, and
 * (for OpenSSL) a native address.
 */
export class Region {
  readonly bytes: Buffer;
  readonly view: DataView;
  /** Native address of the first byte; 0 until it is first needed. */
  address = 0;
  readonly #checksums: ChecksumBuffer | undefined;
  readonly #base: number;

  private constructor(bytes: Buffer, checksums: ChecksumBuffer | undefined, base: number) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#checksums = checksums;
    this.#base = base;
  }

  /** Part of a buffer whose checksums are taken in place. */
  static of(checksums: ChecksumBuffer, start: number, length: number): Region {
    return new Region(checksums.bytes.subarray(start, start + length), checksums, start);
  }

  /** Separate memory outside the garbage-collected heap, so that its address is fixed. */
  static allocate(length: number): Region {
    const memory = new ArrayBuffer(Math.max(length, 128));
    return new Region(Buffer.from(memory, 0, length), undefined, 0);
  }

  /** CRC-32C of the bytes from `start` up to `end`, continuing from `seed`. */
  crc32c(seed: number, start: number, end: number): number {
    if (this.#checksums === undefined) return crc32c(seed, this.bytes, start, end);
    return this.#checksums.crc32c(seed, this.#base + start, this.#base + end);
  }
}
