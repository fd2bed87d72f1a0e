import type { Image } from "@siphon/rbd";
import { Violation } from "../../rados/faults/block-history.ts";

export const blockBytes = 4096;

/** The possible contents of each block of an image: one, or several after a failed write or a task that stopped halfway. */
export class Model {
  /** By block; each buffer has `blockBytes` bytes. */
  readonly #blocks: Buffer[][];

  constructor(blocks: readonly (readonly Buffer[])[]) {
    this.#blocks = blocks.map((allowed) => [...allowed]);
  }

  static of(bytes: Buffer): Model {
    return new Model(
      Array.from({ length: bytes.length / blockBytes }, (_, block) => [
        bytes.subarray(block * blockBytes, (block + 1) * blockBytes),
      ]),
    );
  }

  get size(): number {
    return this.#blocks.length * blockBytes;
  }

  copy(): Model {
    return new Model(this.#blocks);
  }

  /** Zeros are added at the end, or blocks are removed. */
  resized(size: number): Model {
    const zeros = Buffer.alloc(blockBytes);
    return new Model(Array.from({ length: size / blockBytes }, (_, block) => this.#blocks[block] ?? [zeros]));
  }

  /** From byte `bytes` on, the contents of the other model. */
  from(bytes: number, other: Model): Model {
    const blocks = this.#blocks.map((allowed, block) =>
      block * blockBytes < bytes ? allowed : (other.#blocks[block] ?? allowed),
    );
    return new Model(blocks);
  }

  /** The possible contents of either model, up to the size of this one. */
  or(other: Model): Model {
    return new Model(this.#blocks.map((allowed, block) => [...allowed, ...(other.#blocks[block] ?? [])]));
  }

  /** Records a write to a block: the block has the new content, or may have it if the write failed. */
  wrote(block: number, fill: number, isThere: boolean): void {
    const bytes = Buffer.alloc(blockBytes, fill);
    if (block >= this.#blocks.length) return;
    if (isThere) this.#blocks[block] = [bytes];
    else this.#blocks[block]!.push(bytes);
  }

  /** @throws Violation */
  async check(image: Image, where: string): Promise<void> {
    if (image.size !== this.size) {
      throw new Violation("lost", `${where}: it has ${image.size} bytes, and should have ${this.size}`);
    }
    const bytes = await inTime(image.read(0, this.size), `${where}: a read`);
    for (const [block, allowed] of this.#blocks.entries()) {
      const found = bytes.subarray(block * blockBytes, (block + 1) * blockBytes);
      if (allowed.some((each) => each.equals(found))) continue;
      const [is, was] = [[found], allowed].map((all) => all.map((each) => each[0]).join(" or "));
      throw new Violation("lost", `${where}: block ${block} holds ${is}, and should hold ${was}`);
    }
  }
}

/** @returns whether the write was acknowledged */
export async function writeBlock(image: Image, block: number, fill: number): Promise<boolean> {
  try {
    const bytes = Buffer.alloc(blockBytes, fill);
    await inTime(image.write(block * blockBytes, bytes), `a write of block ${block}`);
    return true;
  } catch (error) {
    if (error instanceof Violation) throw error;
    return false;
  }
}

/** @throws Violation if the work does not end in time */
export async function inTime<T>(done: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Violation("lost", `${what} does not end`)), 300_000);
  });
  try {
    return await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}
