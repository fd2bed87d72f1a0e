/**
 * The bytes that a client sent along with a request: kept in one segment of a fitting size, or, for long payloads, in
 * segments that are allocated as bytes arrive, so that an announced length alone costs no memory.
 */
export class Payload {
  readonly #pool: SegmentPool;
  readonly #segments: Buffer[] = [];
  #received = 0;
  #length = 0;

  constructor(pool: SegmentPool) {
    this.#pool = pool;
  }

  /** Prepares for `length` bytes. */
  expect(length: number): void {
    this.#length = length;
    this.#received = 0;
  }

  append(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      const index = Math.floor(this.#received / segmentBytes);
      const within = this.#received % segmentBytes;
      if (index === this.#segments.length) {
        this.#segments.push(this.#pool.take(Math.min(segmentBytes, this.#length)));
      }
      const portion = Math.min(end - at, segmentBytes - within);
      bytes.copy(this.#segments[index]!, within, at, at + portion);
      at += portion;
      this.#received += portion;
    }
  }

  /** Copies `length` bytes from `position` on to `into` at `at`. */
  copyTo(into: Buffer, at: number, position: number, length: number): void {
    let from = position;
    const end = position + length;
    while (from < end) {
      const within = from % segmentBytes;
      const portion = Math.min(end - from, segmentBytes - within);
      this.#segments[Math.floor(from / segmentBytes)]!.copy(into, at, within, within + portion);
      at += portion;
      from += portion;
    }
  }

  /** Releases the memory. */
  clear(): void {
    for (let segment = this.#segments.pop(); segment !== undefined; segment = this.#segments.pop()) {
      this.#pool.give(segment);
    }
  }
}

/** Memory for payloads by size: powers of two from 4 to 256 KiB. */
export class SegmentPool {
  readonly #free: Buffer[][] = Array.from({ length: classes }, () => []);
  #freeBytes = 0;

  take(length: number): Buffer {
    const sizeClass = classOf(length);
    const kept = this.#free[sizeClass]!.pop();
    if (kept === undefined) return Buffer.allocUnsafeSlow(smallest << sizeClass);
    this.#freeBytes -= kept.length;
    return kept;
  }

  give(segment: Buffer): void {
    if (this.#freeBytes + segment.length > mostFreeBytes) return;
    this.#freeBytes += segment.length;
    this.#free[classOf(segment.length)]!.push(segment);
  }
}

const segmentBytes = 256 << 10;
const smallest = 4 << 10;
const classes = 7;
const mostFreeBytes = 64 << 20;

function classOf(length: number): number {
  return length <= smallest ? 0 : 20 - Math.clz32(length - 1);
}
