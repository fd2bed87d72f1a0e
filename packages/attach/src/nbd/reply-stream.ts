import type { Writable } from "node:stream";
import type { Chunk, ChunkPool } from "./chunk-pool.ts";

/**
 * The replies to one client. They are built in places of large chunks, in any order. They leave in the order of
 * completion, all replies of a tick in one write. Neighbours in a chunk leave as one piece.
 */
export class ReplyStream {
  /** Start of the place reserved last. */
  chunk!: Chunk;
  readonly #pool: ChunkPool;
  readonly #socket: Writable;
  readonly #settled: (cost: number) => void;
  #current: Chunk | undefined;

  /** Finished pieces of this tick. */
  #pieces: Chunk[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #cost = 0;

  /** Writes under way, oldest first. */
  readonly #writes: { chunks: Chunk[]; cost: number }[] = [];

  /** `performance.now()` when the client's socket last accepted bytes, or had none pending. */
  movedAt = performance.now();

  /** @param settled called with the cost given to `finish` once the client's socket has taken the reply */
  constructor(pool: ChunkPool, socket: Writable, settled: (cost: number) => void) {
    this.#pool = pool;
    this.#socket = socket;
    this.#settled = settled;
  }

  /** Reserves `length` bytes in `chunk` and returns their place. It is held until `release`. */
  reserve(length: number): number {
    let chunk = this.#current;
    if (length > ownChunkBytes) {
      chunk = this.#pool.take(length);
    } else if (chunk === undefined || chunk.used + length > chunk.bytes.length) {
      if (chunk !== undefined) this.#pool.release(chunk);
      chunk = this.#pool.take(ownChunkBytes);
      chunk.users = 1;
      this.#current = chunk;
    }
    const at = chunk.used;
    chunk.used += length;
    chunk.users++;
    this.chunk = chunk;
    return at;
  }

  /** Adds the bytes from `start` up to `end` of a chunk to what is sent; the chunk is held until they are. */
  push(chunk: Chunk, start: number, end: number): void {
    const last = this.#pieces.length - 1;
    if (last >= 0 && this.#pieces[last] === chunk && this.#ends[last] === start) {
      this.#ends[last] = end;
      return;
    }
    chunk.users++;
    this.#pieces.push(chunk);
    this.#starts.push(start);
    this.#ends.push(end);
  }

  release(chunk: Chunk): void {
    if (chunk === this.#current && chunk.users === 2) {
      // Only this stream still holds it: start over, in memory that is warm in the CPU's cache.
      chunk.users = 1;
      chunk.used = 0;
    } else {
      this.#pool.release(chunk);
    }
  }

  /** Records that a reply charged with `cost` is complete. */
  finish(cost: number): void {
    this.#cost += cost;
  }

  get isIdle(): boolean {
    return this.#writes.length === 0 && this.#pieces.length === 0;
  }

  /** Hands the pieces of this tick to the socket. */
  flush(): void {
    const count = this.#pieces.length;
    if (count === 0) return;
    const pieces = this.#pieces;
    if (this.#writes.length === 0) this.movedAt = performance.now();
    this.#writes.push({ chunks: pieces, cost: this.#cost });
    this.#pieces = [];
    this.#cost = 0;
    if (count > 1) this.#socket.cork();
    for (let i = 0; i < count; i++) {
      const bytes = pieces[i]!.bytes.subarray(this.#starts[i], this.#ends[i]);
      if (i < count - 1) this.#socket.write(bytes);
      else this.#socket.write(bytes, this.#written);
    }
    if (count > 1) this.#socket.uncork();
    this.#starts.length = 0;
    this.#ends.length = 0;
  }

  /** Drops pieces that were not handed over; those handed over are released when the socket is done with them. */
  close(): void {
    for (const chunk of this.#pieces) this.#pool.release(chunk);
    this.#pieces = [];
    if (this.#current !== undefined) this.#pool.release(this.#current);
    this.#current = undefined;
  }

  readonly #written = (): void => {
    const { chunks, cost } = this.#writes.shift()!;
    this.movedAt = performance.now();
    for (const chunk of chunks) this.release(chunk);
    this.#settled(cost);
  };
}

/** A reply longer than this gets a chunk to itself. */
const ownChunkBytes = 128 << 10;
