import type { ImageOperations } from "../../src/io/image-operations.ts";
import type { ImageRequest } from "../../src/io/image-request.ts";

/** A disk in memory that answers in any order, and gives what was never written as zeros that are none. */
export class MemoryDisk implements ImageOperations {
  readonly bytes: Buffer;
  readonly readOnly = false;
  readonly discarded: { offset: number; length: number }[] = [];
  writes = 0;
  /** The next this many requests fail. */
  failures = 0;
  /** Requests are carried out in the order in which they came. */
  inOrder = false;
  /** Called when a write has reached the disk, and nobody was told yet. */
  written = () => {};

  constructor(size: number) {
    this.bytes = Buffer.alloc(size);
  }

  get size(): number {
    return this.bytes.length;
  }

  read(request: ImageRequest): void {
    this.#later(request, () => {
      const half = request.length >>> 1;
      request.take(this.bytes, request.offset + half, request.offset + request.length, half);
      request.take(this.bytes, request.offset, request.offset + half, 0);
    });
  }

  write(request: ImageRequest): void {
    this.writes++;
    this.#later(request, () => {
      request.fill(this.bytes, request.offset, 0, request.length);
      this.written();
    });
  }

  writeZeroes(request: ImageRequest): void {
    this.#later(request, () => this.bytes.fill(0, request.offset, request.offset + request.length));
  }

  discard(request: ImageRequest): void {
    this.discarded.push({ offset: request.offset, length: request.length });
    this.writeZeroes(request);
  }

  flush(request: ImageRequest): void {
    this.#later(request, () => {});
  }

  #later(request: ImageRequest, act: () => void): void {
    const fails = this.failures > 0;
    if (fails) this.failures--;
    // Odd turns of the event loop, so that answers overtake each other.
    let turns = this.inOrder ? 0 : Math.floor(Math.random() * 3);
    const turn = () => {
      if (turns-- > 0) {
        setImmediate(turn);
        return;
      }
      if (!fails) act();
      request.result = fails ? -5 : 0;
      request.completed();
    };
    setImmediate(turn);
  }
}
