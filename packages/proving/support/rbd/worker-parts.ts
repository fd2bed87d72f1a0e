import { readFileSync } from "node:fs";
import { type MessagePort, workerData } from "node:worker_threads";
import { type InWorker, readBytes, writeBytes } from "@siphon/rbd/engine";

/** Tasks of an image's workers in tests; see `ImageWorkers.run`. */
export type WorkerTask =
  /** Each worker writes its share of the blocks, one after the other, and returns the number of blocks. */
  | { readonly task: "fill"; readonly blockSize: number; readonly depth: number }
  /** Writes numbers until it is told to stop: see `Chain`. */
  | { readonly task: "chain"; readonly memory: SharedArrayBuffer; readonly objectSize: number }
  | { readonly task: "size" }
  | { readonly task: "read"; readonly offset: number; readonly length: number }
  /** One of the workers ends by itself. The pipe has no writer. */
  | { readonly task: "end"; readonly how: WorkerEnd; readonly pipe: string };

/** It throws; its event loop blocks; it exits; its channel to the owner ends; it waits in a system call that cannot be interrupted. */
export const workerEnds = ["throws", "blocks", "exits", "is cut off", "waits"] as const;
export type WorkerEnd = (typeof workerEnds)[number];

export const inWorker: InWorker<WorkerTask, unknown> = async (image, { index, count, data }) => {
  switch (data.task) {
    case "fill": {
      const { blockSize, depth } = data;
      let block = index;
      let written = 0;
      const writer = async () => {
        for (; block * blockSize < image.size; ) {
          const mine = block;
          block += count;
          await writeBytes(image, mine * blockSize, fillOf(mine, blockSize));
          written++;
        }
      };
      await Promise.all(Array.from({ length: depth }, writer));
      return written;
    }
    case "chain":
      return chain(image, index, new Int32Array(data.memory), data.objectSize);
    case "size":
      return image.size;
    case "read":
      return readBytes(image, data.offset, data.length);
    case "end":
      if (index === 0) setImmediate(() => end(data.how, data.pipe));
      return new Promise(() => {});
  }
};

function end(how: WorkerEnd, pipe: string): void {
  if (how === "throws") throw new Error("a worker's own fault");
  if (how === "is cut off") {
    (workerData as { port: MessagePort }).port.close();
    return;
  }
  if (how === "exits") process.exit(3);
  if (how === "waits") readFileSync(pipe);
  for (;;);
}

/** The bytes of a block, which identify its number. */
export function fillOf(block: number, blockSize: number): Buffer {
  const bytes = Buffer.alloc(blockSize, (block * 31 + 7) & 0xff);
  bytes.writeUInt32LE(block);
  return bytes;
}

/** The offset of a worker's cell, and of the trail that its earlier numbers leave. */
export const cellBytes = 4096;
export const trailOf = (worker: number, number: number, objectSize: number, objects: number): number =>
  (1 + (number % (objects - 1))) * objectSize + worker * cellBytes;

/**
 * Worker 0 writes increasing numbers to its cell. Each other worker writes a number once the worker before it has that number
 * acknowledged. At any time the numbers in the cells therefore never increase from worker to worker. Memory: 1 to stop, 2 after a
 * worker's write has failed; then the number that each worker has acknowledged.
 *
 * @returns the last number, or the code of the error of a failed write
 */
async function chain(
  image: Parameters<typeof inWorker>[0],
  index: number,
  memory: Int32Array,
  objectSize: number,
): Promise<number | string> {
  const objects = Math.floor(image.size / objectSize);
  const bytes = Buffer.alloc(cellBytes);
  for (let number = 1; ; ) {
    if (Atomics.load(memory, 0) === 1) return number - 1;
    const before = index > 0 ? Atomics.load(memory, index) : number;
    if (before < number && Atomics.load(memory, 0) === 0) {
      // A stop between the check and the wait is noticed a little later.
      await Atomics.waitAsync(memory, index, before, 100).value;
      continue;
    }
    bytes.fill(number & 0xff).writeUInt32LE(number);
    try {
      await writeBytes(image, trailOf(index, number, objectSize, objects), Buffer.from(bytes));
      await writeBytes(image, index * cellBytes, Buffer.from(bytes));
    } catch (error) {
      // The other workers continue, each until its own writes fail.
      Atomics.compareExchange(memory, 0, 0, 2);
      for (let other = 1; other < memory.length; other++) Atomics.notify(memory, other);
      return (error as { code: string }).code;
    }
    Atomics.store(memory, 1 + index, number++);
    Atomics.notify(memory, 1 + index);
  }
}
