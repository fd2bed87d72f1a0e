import type { Image } from "@siphon/rbd";
import { cellBytes, trailOf } from "./worker-parts.ts";

/** A chain of workers writing to an image: see `chain` in worker-parts.ts. */
export class Chain {
  readonly objectSize: number;
  /** Each worker's result: its last number, or the code of an error. */
  readonly ended: Promise<(number | string)[]>;
  readonly #memory: Int32Array;
  readonly #count: number;

  private constructor(image: Image, signal: AbortSignal | undefined) {
    const { workers, header } = image;
    this.objectSize = header.objectSize;
    this.#count = workers!.count;
    const memory = new SharedArrayBuffer(4 * (1 + this.#count));
    this.#memory = new Int32Array(memory);
    const module = new URL("./worker-parts.ts", import.meta.url);
    const task = { task: "chain", memory, objectSize: this.objectSize };
    this.ended = workers!.run(module, task, { signal }) as Promise<(number | string)[]>;
    this.ended.catch(() => {});
  }

  static start(image: Image, signal?: AbortSignal): Chain {
    return new Chain(image, signal);
  }

  get acknowledged(): number[] {
    return Array.from({ length: this.#count }, (_, index) => Atomics.load(this.#memory, 1 + index));
  }

  /** Waits until the last worker has acknowledged this many more numbers. */
  async goesOn(more: number): Promise<void> {
    const last = this.#count;
    const from = Atomics.load(this.#memory, last);
    while (Atomics.load(this.#memory, last) < from + more) {
      const ended = await Promise.race([this.ended, new Promise((resolve) => setTimeout(resolve, 10))]);
      if (ended !== undefined) throw new Error(`the workers ended: ${ended}`);
    }
  }

  async stop(): Promise<number[]> {
    Atomics.store(this.#memory, 0, 1);
    for (let index = 1; index <= this.#count; index++) Atomics.notify(this.#memory, index);
    return (await this.ended) as number[];
  }
}

/** The numbers in the cells of an exported image, or of its first bytes. */
export function cellsOf(bytes: Buffer, count: number): number[] {
  return Array.from({ length: count }, (_, index) => bytes.readUInt32LE(index * cellBytes));
}

/** Adds the workers' expected writes to the content from before they began. */
export function overlay(base: Buffer, last: readonly number[], objectSize: number, objects: number): void {
  for (const [index, number] of last.entries()) {
    for (let each = Math.max(1, number - objects); each <= number; each++) {
      putNumber(base, trailOf(index, each, objectSize, objects), each);
    }
    if (number > 0) putNumber(base, index * cellBytes, number);
  }
}

function putNumber(base: Buffer, at: number, number: number): void {
  base.fill(number & 0xff, at, at + cellBytes);
  base.writeUInt32LE(number, at);
}
