import type { ImageRequest } from "@siphon/rbd/engine";
import type { BlockDevice } from "../../src/block-device.ts";
import type { Extent, ExtentSource } from "../../src/extent-source.ts";

export interface MemoryDeviceOptions {
  size: number;
  readOnly?: boolean;
  volatile?: boolean;
  optimalIoSize?: number;
}

/**
 * A disk in memory that keeps only blocks that were written, knows which of them changed since its snapshots, and completes requests
 * in a later turn, as a disk does.
 */
export class MemoryDevice implements BlockDevice, ExtentSource {
  readonly readOnly: boolean;
  readonly volatile: boolean;
  readonly optimalIoSize: number;
  size: number;
  /** How often it was asked to make everything last. */
  flushes = 0;
  /** Requests that were given to it, by what was asked. */
  readonly asked: string[] = [];
  /** When set, requests wait until it is over. */
  held: Promise<void> | undefined;
  /** A negative errno that every request ends with. */
  failure = 0;
  readonly #blocks = new Map<number, Buffer>();
  readonly #changed = new Map<string, Set<number>>();
  readonly #listeners = new Set<(size: number) => void>();

  constructor({ size, readOnly = false, volatile = true, optimalIoSize = 4 << 20 }: MemoryDeviceOptions) {
    this.size = size;
    this.readOnly = readOnly;
    this.volatile = volatile;
    this.optimalIoSize = optimalIoSize;
  }

  read(request: ImageRequest): void {
    this.#later("read", request, () => {
      this.#eachBlock(request, (index, within, position, length) => {
        const block = this.#blocks.get(index);
        if (block === undefined) request.takeZeros(position, length);
        else request.take(block, within, within + length, position);
      });
    });
  }

  write(request: ImageRequest): void {
    this.#later("write", request, () => {
      this.#eachBlock(request, (index, within, position, length) => {
        request.fill(this.#block(index), within, position, length);
      });
    });
  }

  flush(request: ImageRequest): void {
    this.#later("flush", request, () => {
      this.flushes++;
    });
  }

  discard(request: ImageRequest): void {
    this.#later("discard", request, () => this.#zero(request));
  }

  writeZeroes(request: ImageRequest): void {
    this.#later("writeZeroes", request, () => this.#zero(request));
  }

  onResize(listener: (size: number) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  resize(size: number): void {
    this.size = size;
    for (const listener of this.#listeners) listener(size);
  }

  /** Makes one of its blocks of 64 KiB one that is allocated. */
  writeBlock(index: number): void {
    this.#block(index)[0] = 1;
  }

  snapshot(name: string): void {
    this.#changed.set(name, new Set());
  }

  snapshotNames(): readonly string[] {
    return [...this.#changed.keys()];
  }

  async allocation(offset: number, length: number): Promise<readonly Extent[]> {
    return this.#extents(offset, length, (index) => (this.#blocks.has(index) ? "data" : "zero"));
  }

  async changedSince(snapshot: string, offset: number, length: number): Promise<readonly Extent[]> {
    const changed = this.#changed.get(snapshot)!;
    return this.#extents(offset, length, (index) => {
      if (!changed.has(index)) return "same";
      return this.#blocks.has(index) ? "data" : "zero";
    });
  }

  #later(asked: string, request: ImageRequest, work: () => void): void {
    this.asked.push(asked);
    const carryOut = (): void => {
      request.result = this.failure;
      if (this.failure === 0) work();
      request.completed();
    };
    if (this.held === undefined) setImmediate(carryOut);
    else void this.held.then(carryOut);
  }

  #zero(request: ImageRequest): void {
    this.#eachBlock(request, (index, within, _position, length) => {
      if (length < blockBytes) this.#blocks.get(index)?.fill(0, within, within + length);
      else this.#blocks.delete(index);
      for (const changed of this.#changed.values()) changed.add(index);
    });
  }

  #block(index: number): Buffer {
    for (const changed of this.#changed.values()) changed.add(index);
    let block = this.#blocks.get(index);
    if (block === undefined) {
      block = Buffer.alloc(blockBytes);
      this.#blocks.set(index, block);
    }
    return block;
  }

  #extents(offset: number, length: number, kindOf: (index: number) => Extent["kind"]): Extent[] {
    const extents: Extent[] = [];
    for (let at = offset; at < offset + length; ) {
      const index = Math.floor(at / blockBytes);
      const end = Math.min(offset + length, (index + 1) * blockBytes);
      extents.push({ kind: kindOf(index), length: end - at });
      at = end;
    }
    return extents;
  }

  #eachBlock(
    { offset, length }: ImageRequest,
    visit: (index: number, within: number, position: number, length: number) => void,
  ): void {
    for (let position = 0; position < length; ) {
      const within = (offset + position) % blockBytes;
      const portion = Math.min(length - position, blockBytes - within);
      visit(Math.floor((offset + position) / blockBytes), within, position, portion);
      position += portion;
    }
  }
}

const blockBytes = 64 << 10;
