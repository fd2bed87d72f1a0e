import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

/** A connection to a disk with one request in flight at a time. Failed requests reject. */
export interface Lane {
  write(offset: number, bytes: Buffer): Promise<void>;
  read(offset: number, length: number): Promise<Buffer>;
}

export const blockBytes = 4096;

/**
 * Writes and reads random blocks and records what was acknowledged: no block may ever be older than that. Each written
 * block contains its number and a count of its writes.
 */
export class CheckedLoad {
  acknowledged = 0;
  verified = 0;
  readonly blocks: number;
  readonly #versions: Uint32Array;
  readonly #busy = new Set<number>();
  readonly #work: Promise<unknown>;
  #running = true;

  /** @param blocks number of blocks used, from the start of the disk; initially zero-filled */
  constructor(lanes: readonly Lane[], blocks: number) {
    this.blocks = blocks;
    this.#versions = new Uint32Array(blocks);
    this.#work = Promise.all(lanes.map((lane) => this.#run(lane)));
    this.#work.catch(() => {});
  }

  /** Starts no more requests, and waits for those in flight; throws the first failure. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#work;
  }

  /** Waits for this many more acknowledged writes; throws if none arrives for a long time. */
  async goesOn(writes = 100): Promise<void> {
    const enough = this.acknowledged + writes;
    for (let seen = this.acknowledged, since = Date.now(); this.acknowledged < enough; await pause(10)) {
      await this.check();
      if (this.acknowledged > seen) [seen, since] = [this.acknowledged, Date.now()];
      assert.ok(Date.now() - since < 300_000, "no write was acknowledged for five minutes");
    }
  }

  /** Throws if a lane has failed or has read a wrong block. */
  async check(): Promise<void> {
    await Promise.race([this.#work, pause(0)]);
  }

  /** The content that the blocks must have while nothing is in flight. */
  contents(): Buffer {
    return Buffer.concat([...this.#versions].map((version, block) => contentsOf(block, version)));
  }

  async #run(lane: Lane): Promise<void> {
    while (this.#running) {
      const block = this.#pick();
      const offset = block * blockBytes;
      if (Math.random() < 0.25) {
        const found = await lane.read(offset, blockBytes);
        this.#verify(block, found);
      } else {
        const version = this.#versions[block]! + 1;
        await lane.write(offset, contentsOf(block, version));
        this.#versions[block] = version;
        this.acknowledged++;
      }
      this.#busy.delete(block);
      await pause(5);
    }
  }

  #verify(block: number, found: Buffer): void {
    const version = this.#versions[block]!;
    const says = [found.readUInt32LE(0), found.readUInt32LE(4)];
    assert.ok(
      found.equals(contentsOf(block, version)),
      `block ${block} was written ${version} times: ${says}`,
    );
    this.verified++;
  }

  #pick(): number {
    let block: number;
    do block = Math.floor(Math.random() * this.blocks);
    while (this.#busy.has(block));
    this.#busy.add(block);
    return block;
  }
}

function contentsOf(block: number, version: number): Buffer {
  const bytes = Buffer.alloc(blockBytes);
  if (version === 0) return bytes;
  for (let at = 0; at < blockBytes; at += 8) {
    bytes.writeUInt32LE(block, at);
    bytes.writeUInt32LE(version, at + 4);
  }
  return bytes;
}
