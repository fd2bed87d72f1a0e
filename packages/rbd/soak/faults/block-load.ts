import { BlockHistory } from "../../../rados/soak/faults/block-history.ts";
import type { Random } from "../../../rados/test/support/random.ts";
import type { Image } from "../../src/index.ts";

/** Reads and writes of blocks of an image by many at once, each of whose results is checked. */
export class BlockLoad {
  readonly counts = { reads: 0, writes: 0 };
  readonly #random: Random;
  readonly #history = new BlockHistory(blockBytes);

  constructor(random: Random) {
    this.#random = random;
  }

  get operations(): number {
    return this.counts.reads + this.counts.writes;
  }

  /** Writes some blocks of each object: what a clone is to have of its parent. */
  async prepare(parent: Image): Promise<void> {
    const perObject = parent.optimalIoSize / blockBytes;
    const blocks = Array.from(
      { length: parent.size / parent.optimalIoSize },
      (_, object) => object * perObject + this.#random.below(perObject),
    ).values();
    const worker = async () => {
      for (const block of blocks) await this.#write(parent, block);
    };
    await Promise.all(Array.from({ length: workers }, worker));
  }

  /** Until the signal is aborted, and what is under way has ended. */
  async run(image: Image, signal: AbortSignal): Promise<void> {
    const worker = async () => {
      while (!signal.aborted) {
        const block = this.#random.below(image.size / blockBytes);
        if (this.#random.chance(0.5)) await this.#read(image, block);
        else await this.#write(image, block);
      }
    };
    await Promise.all(Array.from({ length: workers }, worker));
  }

  /** All that was ever acknowledged is there. */
  async verify(image: Image): Promise<void> {
    const blocks = Array.from({ length: image.size / blockBytes }, (_, block) => block).values();
    const worker = async () => {
      for (const block of blocks) await this.#read(image, block);
    };
    await Promise.all(Array.from({ length: workers }, worker));
  }

  async #write(image: Image, block: number): Promise<void> {
    const { version, bytes } = this.#history.startWrite(block);
    await image.write(block * blockBytes, bytes);
    this.#history.acknowledge(block, version);
    this.counts.writes++;
  }

  async #read(image: Image, block: number): Promise<void> {
    const least = this.#history.startRead(block);
    this.#history.check(block, least, await image.read(block * blockBytes, blockBytes));
    this.counts.reads++;
  }
}

const blockBytes = 16_384;
const workers = 16;
