import { Violation } from "./block-history.ts";

/** The records appended to a log: each acknowledged record occurs exactly once, and all are in the order of sending. */
export class AppendHistory {
  readonly #log: number;
  #started = 0;
  #acknowledged = 0;

  /** @param log number that distinguishes logs */
  constructor(log: number) {
    this.#log = log;
  }

  get records(): number {
    return this.#started;
  }

  /** Starts an append; returns its bytes. */
  start(): { record: number; bytes: Buffer } {
    const record = this.#started++;
    return { record, bytes: contentOf(this.#log, record) };
  }

  acknowledge(record: number): void {
    this.#acknowledged = Math.max(this.#acknowledged, record + 1);
  }

  /** Starts a read; returns the least number of records that it must show. */
  startRead(): number {
    return this.#acknowledged;
  }

  /** @throws Violation */
  check(least: number, bytes: Buffer): void {
    const found = Math.floor(bytes.length / recordBytes);
    for (let i = 0; i < found; i++) {
      const at = i * recordBytes;
      const record = bytes.readUInt32LE(at + 4);
      const where = `log ${this.#log}: record ${record} is the one at ${i}`;
      if (record < i) throw new Violation("twice", where);
      if (record > i) throw new Violation(record < this.#started ? "disordered" : "alien", where);
      if (!bytes.subarray(at, at + recordBytes).equals(contentOf(this.#log, record)))
        throw new Violation("torn", where);
    }
    if (bytes.length % recordBytes !== 0)
      throw new Violation("torn", `log ${this.#log} ends in half a record`);
    if (found < least)
      throw new Violation("lost", `log ${this.#log}: ${found} records of ${least} acknowledged ones`);
  }
}

const recordBytes = 64;

/** u32 log, u32 record, and a pattern that depends on both. */
function contentOf(log: number, record: number): Buffer {
  const bytes = Buffer.alloc(recordBytes, (Math.imul(record, 167) ^ log) & 0xff);
  bytes.writeUInt32LE(log, 0);
  bytes.writeUInt32LE(record, 4);
  return bytes;
}
