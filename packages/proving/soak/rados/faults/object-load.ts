import assert from "node:assert/strict";
import { type Pool, ReadOperation, WriteOperation } from "@siphon/rados";
import type { Random } from "../../../../rados/test/support/random.ts";
import { AppendHistory } from "./append-history.ts";
import { BlockHistory } from "./block-history.ts";

/** Concurrent reads, writes and appends, with every result checked. */
export class ObjectLoad {
  readonly counts = { reads: 0, writes: 0, appends: 0, logReads: 0 };
  readonly #pool: Pool;
  readonly #random: Random;
  readonly #history = new BlockHistory(blockBytes);
  readonly #logs = Array.from({ length: logs }, (_, log) => new AppendHistory(log));

  constructor(pool: Pool, random: Random) {
    this.#pool = pool;
    this.#random = random;
  }

  get operations(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  /** Runs until the signal is aborted and the requests in flight have ended. */
  async run(signal: AbortSignal): Promise<void> {
    const blocks = Array.from({ length: workers }, () => this.#readAndWrite(signal));
    await Promise.all([...blocks, ...this.#logs.map((log, number) => this.#append(log, number, signal))]);
  }

  /** Checks that this handle, too, sees everything that was acknowledged. */
  async verify(pool: Pool): Promise<void> {
    for (let block = 0; block < objects * blocksPerObject; block++) await this.#readBlock(pool, block);
    for (const [number, log] of this.#logs.entries()) await this.#readLog(pool, log, number);
  }

  async #readAndWrite(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const block = this.#random.below(objects * blocksPerObject);
      if (this.#random.chance(0.5)) await this.#readBlock(this.#pool, block);
      else await this.#writeBlock(block);
    }
  }

  /** The version also goes into an attribute, in the same operation: both are there, or neither. */
  async #writeBlock(block: number): Promise<void> {
    const { object, offset, attribute } = placeOf(block);
    const { version, bytes } = this.#history.startWrite(block);
    await this.#pool.operate(
      object,
      new WriteOperation().write(offset, bytes).setXattr(attribute, `${version}`),
    );
    this.#history.acknowledge(block, version);
    this.counts.writes++;
  }

  async #readBlock(pool: Pool, block: number): Promise<void> {
    const { object, offset, attribute } = placeOf(block);
    const least = this.#history.startRead(block);
    const steps = new ReadOperation().read({ offset, length: blockBytes }).getXattr(attribute).failOk();
    const outcome = await pool.operate(object, steps).catch((error) => {
      if (error.code !== "ENOENT") throw error;
      return { values: [Buffer.alloc(0), undefined] as const };
    });
    const [bytes, written] = outcome.values;
    const version = this.#history.check(block, least, bytes);
    assert.equal(
      Number(`${written ?? 0}`),
      version,
      `half an operation: version of block ${block} in its attribute`,
    );
    this.counts.reads++;
  }

  /** Several at once: they are executed in the order of submission. */
  async #append(log: AppendHistory, number: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const appends = Array.from({ length: this.#random.between(1, 4) }, async () => {
        const { record, bytes } = log.start();
        await this.#pool.append(logName(number), bytes);
        log.acknowledge(record);
        this.counts.appends++;
      });
      await Promise.all(appends);
      if (this.#random.chance(0.05)) await this.#readLog(this.#pool, log, number);
    }
  }

  async #readLog(pool: Pool, log: AppendHistory, number: number): Promise<void> {
    const least = log.startRead();
    if (least === 0) return;
    log.check(least, await pool.read(logName(number)));
    this.counts.logReads++;
  }
}

const blockBytes = 16_384;
const objects = 24;
const blocksPerObject = 8;
const logs = 3;
const workers = 10;

function placeOf(block: number): { object: string; offset: number; attribute: string } {
  const inObject = block % blocksPerObject;
  const object = `blocks-${Math.floor(block / blocksPerObject)}`;
  return { object, offset: inObject * blockBytes, attribute: `version-${inObject}` };
}

const logName = (number: number) => `log-${number}`;
