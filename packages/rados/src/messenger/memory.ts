import { ChecksumBuffer } from "@siphon/wire";
import { Region } from "./region.ts";

/** A frame of up to this many bytes on the wire is parsed in place. */
export const carryBytes = 128 * 1024;
const readBytes = 512 * 1024;
const chunkBytes = 256 * 1024;
const sharedChunks = 8;
const pooledChunks = 64;

/**
 * The memory of one messenger, shared by all its connections. All sockets of a thread are read into one buffer, because
 * a read is parsed before the next one. The rest of an incomplete frame waits with its connection and is put in front
 * of the next read.
 *
 *     0            128 KiB                    640 KiB
 *     | carry      | read area of all sockets | 8 send chunks of 256 KiB
 */
export class MessengerMemory {
  /** Carry and read area. */
  readonly receive: Region;
  /** The memory that the sockets read into. */
  readonly readArea: Buffer;
  readonly #free: Region[] = [];

  constructor() {
    const start = carryBytes + readBytes;
    const memory = new ChecksumBuffer(start + sharedChunks * chunkBytes);
    this.receive = Region.of(memory, 0, start);
    this.readArea = memory.bytes.subarray(carryBytes, start);
    for (let i = 0; i < sharedChunks; i++)
      this.#free.push(Region.of(memory, start + i * chunkBytes, chunkBytes));
  }

  /** A chunk for frames of at least `length` bytes; usually 256 KiB. */
  takeChunk(length: number): Region {
    if (length > chunkBytes) return this.#takeLarge(length);
    return this.#free.pop() ?? Region.allocate(chunkBytes);
  }

  /** Returns an unused chunk. */
  giveChunk(chunk: Region): void {
    const length = chunk.bytes.length;
    if (length > chunkBytes) {
      if (this.#largeBytes + length > mostLargeBytes) return;
      this.#large.push(chunk);
      this.#largeBytes += length;
    } else if (this.#free.length < pooledChunks) {
      this.#free.push(chunk);
    }
  }

  /** Large chunks are pooled: new memory of that size costs more in page faults than the copy. */
  readonly #large: Region[] = [];
  #largeBytes = 0;

  #takeLarge(length: number): Region {
    const fitting = this.#large.findIndex((chunk) => chunk.bytes.length >= length);
    if (fitting < 0) {
      const rounded = Math.ceil(length / largeStep) * largeStep;
      return Region.of(new ChecksumBuffer(rounded), 0, rounded);
    }
    const [chunk] = this.#large.splice(fitting, 1);
    this.#largeBytes -= chunk!.bytes.length;
    return chunk!;
  }
}

const mostLargeBytes = 64 << 20;
const largeStep = 1 << 20;
