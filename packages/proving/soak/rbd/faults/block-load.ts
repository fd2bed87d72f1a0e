import type { Image } from "@siphon/rbd";
import type { Random } from "../../../../rados/test/support/random.ts";
import { BlockHistory, Violation } from "../../rados/faults/block-history.ts";

/** Concurrent reads and writes of an image's blocks, with every result checked. */
export class BlockLoad {
  /** Operations, including failed ones if these are allowed. */
  readonly counts = { reads: 0, writes: 0, failed: 0 };
  readonly #random: Random;
  readonly #mayFail: (error: unknown) => boolean;
  readonly #history = new BlockHistory(blockBytes);

  /** @param mayFail whether a read or write may end with this error */
  constructor(random: Random, { mayFail = () => false }: { mayFail?: (error: unknown) => boolean } = {}) {
    this.#random = random;
    this.#mayFail = mayFail;
  }

  get operations(): number {
    return this.counts.reads + this.counts.writes;
  }

  /** Writes some blocks of each object, which a clone then has from its parent. */
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

  /** Writes this many blocks, anywhere. */
  async write(image: Image, blocks: number): Promise<void> {
    for (; blocks > 0; blocks--) await this.#write(image, this.#random.below(image.size / blockBytes));
  }

  /** Runs until the signal is aborted and the requests in flight have ended. */
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

  /** Checks that everything that was ever acknowledged is there. One request reads all blocks of an object. */
  async verify(image: Image): Promise<void> {
    const perObject = image.optimalIoSize / blockBytes;
    await this.#each(image, perObject, (first) => this.#read(image, first, perObject));
  }

  /** What a snapshot taken now must contain at least, and at most: the writes sent before `noLaterThan` was called. */
  snapshotBegins(image: Image): SnapshotBounds {
    const blocks = image.size / blockBytes;
    const versions = (of: (block: number) => number) =>
      Array.from({ length: blocks }, (_, block) => of(block));
    const least = versions((block) => this.#history.startRead(block));
    const bounds: SnapshotBounds = {
      most: undefined,
      noLaterThan: () => {
        bounds.most = versions((block) => this.#history.startedOf(block));
      },
      check: async (snapshot) => {
        await this.#each(snapshot, 1, async (block) => {
          const bytes = await snapshot.read(block * blockBytes, blockBytes);
          const version = this.#history.check(block, least[block]!, bytes);
          const most = bounds.most?.[block] ?? Number.POSITIVE_INFINITY;
          if (version <= most) return;
          throw new Violation(
            "alien",
            `block ${block}: version ${version} is in an earlier snapshot, of at most ${most}`,
          );
        });
      },
    };
    return bounds;
  }

  /** Runs the work at the first of each `step` blocks. */
  async #each(image: Image, step: number, work: (block: number) => Promise<void>): Promise<void> {
    const length = image.size / blockBytes / step;
    const blocks = Array.from({ length }, (_, index) => index * step).values();
    const worker = async () => {
      for (const block of blocks) await work(block);
    };
    await Promise.all(Array.from({ length: workers }, worker));
  }

  async #write(image: Image, block: number): Promise<void> {
    const { version, bytes } = this.#history.startWrite(block);
    try {
      await image.write(block * blockBytes, bytes);
    } catch (error) {
      return this.#failed(error);
    }
    this.#history.acknowledge(block, version);
    this.counts.writes++;
  }

  async #read(image: Image, first: number, blocks = 1): Promise<void> {
    const least = Array.from({ length: blocks }, (_, index) => this.#history.startRead(first + index));
    let bytes: Buffer;
    try {
      bytes = await image.read(first * blockBytes, blocks * blockBytes);
    } catch (error) {
      return this.#failed(error);
    }
    for (const [index, version] of least.entries()) {
      const block = bytes.subarray(index * blockBytes, (index + 1) * blockBytes);
      this.#history.check(first + index, version, block);
    }
    this.counts.reads += blocks;
  }

  #failed(error: unknown): void {
    if (!this.#mayFail(error)) throw error;
    this.counts.failed++;
  }
}

/** The content that a snapshot must show. */
export interface SnapshotBounds {
  most: number[] | undefined;
  noLaterThan(): void;
  /** @throws Violation */
  check(snapshot: Image): Promise<void>;
}

const blockBytes = 16_384;
const workers = 16;
