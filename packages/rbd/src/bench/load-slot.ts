import { randomFillSync } from "node:crypto";
import { ImageRequest } from "../io/image-request.ts";

/** One of the requests of a load that may be in flight. Its buffer serves reads and writes. */
export class LoadSlot extends ImageRequest {
  /** When it began or, at a given rate, when it arrived, on the clock of `performance.now()`. */
  begun = 0;
  reads = false;
  readonly #done: (slot: LoadSlot) => void;
  readonly #index: number;
  readonly #depth: number;
  readonly #memory: Buffer;
  #turn = 0;

  constructor(
    done: (slot: LoadSlot) => void,
    index: number,
    { size, depth }: { size: number; depth: number },
  ) {
    super();
    this.#done = done;
    this.#index = index;
    this.#depth = depth;
    this.#memory = randomFillSync(Buffer.allocUnsafeSlow(size));
  }

  /** The next block of the slot's part of the image. */
  nextBlock(blocks: number): number {
    const share = Math.max(1, Math.floor(blocks / this.#depth));
    return (this.#index * share + (this.#turn++ % share)) % blocks;
  }

  fill(into: Buffer, at: number, position: number, length: number): void {
    this.#memory.copy(into, at, position, position + length);
  }

  take(bytes: Buffer, start: number, end: number, position: number): void {
    bytes.copy(this.#memory, position, start, end);
  }

  takeZeros(position: number, length: number): void {
    this.#memory.fill(0, position, position + length);
  }

  completed(): void {
    this.#done(this);
  }
}
