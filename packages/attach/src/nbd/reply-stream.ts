import type { Writable } from "node:stream";
import type { Chunk, ChunkPool } from "./chunk-pool.ts";

/**
 * The replies to one client. They are built at places in large chunks, in any order, and leave in the order in which they were
 * finished, all of a tick in one write. Neighbours in a chunk leave as one piece.
 */
export class ReplyStream {
  /** Where the place reserved last lies. */
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

  /** `performance.now()` when the client's socket last took something, or had nothing to take. */
  movedAt = performance.now();

  /** @param settled is told of what `finish` was given once the client's socket has taken it */
  constructor(pool: ChunkPool, socket: Writable, settled: (cost: number) => void) {
    this.#pool = pool;
    this.#socket = socket;
    this.#settled = settled;
  }

  /** Makes a place of `length` bytes in `chunk` and returns where. It is held until `release`. */
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
      // Nobody but this stream holds it any more: begin again, in memory that the CPU still has at hand.
      chunk.users = 1;
      chunk.used = 0;
    } else {
      this.#pool.release(chunk);
    }
  }

  /** Notes that a reply whose upkeep is `cost` is complete. */
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

  /** Drops what was not handed over; what was is let go when the socket does. */
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
