import type { ImageRequest } from "@siphon/rbd/engine";

/** Places of the words that all threads of a `SharedDisk` have. */
const word = { held: 0, size: 1, asked: 2 } as const;

/** The memory of a `SharedDisk`, for its other threads. */
export interface SharedDiskMemory {
  readonly bytes: SharedArrayBuffer;
  readonly words: SharedArrayBuffer;
}

/** A disk in memory that several threads serve, as far as the worker of an image asks for more than a device has. */
export class SharedDisk {
  readonly readOnly = false;
  readonly snapId = -2;
  readonly state = { objectSize: 4 << 20, snapshots: new Map() };
  readonly memory: SharedDiskMemory;
  readonly #bytes: Buffer;
  readonly #words: Int32Array;
  readonly #index: number;

  static create(size: number, threads: number): SharedDisk {
    const bytes = new SharedArrayBuffer(size);
    const disk = new SharedDisk({ bytes, words: new SharedArrayBuffer(4 * (word.asked + threads)) }, 0);
    disk.#words[word.size] = size;
    return disk;
  }

  /** @param index of the thread */
  constructor(memory: SharedDiskMemory, index: number) {
    this.memory = memory;
    this.#bytes = Buffer.from(memory.bytes);
    this.#words = new Int32Array(memory.words);
    this.#index = index;
  }

  get size(): number {
    return Atomics.load(this.#words, word.size);
  }

  set size(bytes: number) {
    Atomics.store(this.#words, word.size, bytes);
  }

  /** How many requests each thread was given. */
  get asked(): number[] {
    return [...this.#words.subarray(word.asked)];
  }

  forget(): void {
    this.#words.fill(0, word.asked);
  }

  /** Requests wait until `release`. */
  hold(): void {
    Atomics.store(this.#words, word.held, 1);
  }

  release(): void {
    Atomics.store(this.#words, word.held, 0);
    Atomics.notify(this.#words, word.held);
  }

  read(request: ImageRequest): void {
    const { offset, length } = request;
    this.#later(request, () => request.take(this.#bytes, offset, offset + length, 0));
  }

  write(request: ImageRequest): void {
    this.#later(request, () => request.fill(this.#bytes, request.offset, 0, request.length));
  }

  flush(request: ImageRequest): void {
    this.#later(request, () => {});
  }

  discard(request: ImageRequest): void {
    this.writeZeroes(request);
  }

  writeZeroes(request: ImageRequest): void {
    const { offset, length } = request;
    this.#later(request, () => this.#bytes.fill(0, offset, offset + length));
  }

  #later(request: ImageRequest, work: () => void): void {
    Atomics.add(this.#words, word.asked + this.#index, 1);
    const carryOut = () => {
      work();
      request.result = 0;
      request.completed();
    };
    const wait = Atomics.waitAsync(this.#words, word.held, 1);
    if (wait.async) void wait.value.then(carryOut);
    else setImmediate(carryOut);
  }
}
