/** Memory that replies are built in and sent from. */
export class Chunk {
  readonly bytes: Buffer;
  readonly view: DataView;
  /** Bytes in use, from the start. */
  used = 0;
  /** Users of the chunk: places that are being filled or sent, and the stream that hands out places. */
  users = 0;

  constructor(length: number) {
    // Not from Node's shared pool: chunks live long, and would keep the whole pool allocated.
    this.bytes = Buffer.allocUnsafeSlow(length);
    this.view = new DataView(this.bytes.buffer, 0, length);
  }
}

/** The chunks of one thread: kept for reuse, since fresh memory costs more in page faults than the copy into it. */
export class ChunkPool {
  readonly #free: Chunk[] = [];
  readonly #large: Chunk[] = [];
  #largeBytes = 0;

  /** A chunk that holds at least `length` bytes; 256 KiB unless more is requested. */
  take(length: number): Chunk {
    if (length <= chunkBytes) return this.#free.pop() ?? new Chunk(chunkBytes);
    const fitting = this.#large.findIndex((chunk) => chunk.bytes.length >= length);
    if (fitting < 0) return new Chunk(Math.ceil(length / largeStep) * largeStep);
    const chunk = this.#large.splice(fitting, 1)[0]!;
    this.#largeBytes -= chunk.bytes.length;
    return chunk;
  }

  /** Ends one use of a chunk, which is free after the last. */
  release(chunk: Chunk): void {
    if (--chunk.users > 0) return;
    chunk.used = 0;
    const length = chunk.bytes.length;
    if (length === chunkBytes) {
      if (this.#free.length < mostFree) this.#free.push(chunk);
    } else if (this.#largeBytes + length <= mostLargeBytes) {
      this.#large.push(chunk);
      this.#largeBytes += length;
    }
  }
}

const chunkBytes = 256 << 10;
const largeStep = 1 << 20;
const mostFree = 128;
const mostLargeBytes = 64 << 20;
