import assert from "node:assert/strict";

interface Write {
  offset: number;
  length: number;
  value: number;
  sent: number;
  done: number;
}

/**
 * Writes that overlap and are under way together, each of one value, and what a disk may show of them at any moment: a write that was
 * sent after another was done replaces it once it is done itself; of those that were under way together any may be the last. Each sector
 * is of one write.
 */
export class OverlappingWrites {
  readonly #sectorBytes: number;
  readonly #writes: Write[] = [];
  #now = 0;

  constructor(sectorBytes = 512) {
    this.#sectorBytes = sectorBytes;
  }

  /** @param value that no other write has, and not 0, which the disk has at first */
  sent(offset: number, length: number, value: number): Write {
    const write = { offset, length, value, sent: ++this.#now, done: Number.POSITIVE_INFINITY };
    this.#writes.push(write);
    return write;
  }

  done(write: Write): void {
    write.done = ++this.#now;
  }

  /** @param bytes of the disk, from `offset` on, whole sectors */
  assertLegal(bytes: Buffer, offset: number): void {
    for (let at = 0; at < bytes.length; at += this.#sectorBytes) {
      const sector = bytes.subarray(at, at + this.#sectorBytes);
      const [value] = sector;
      assert.ok(
        sector.every((byte) => byte === value),
        `the sector at ${offset + at} is torn`,
      );
      const legal = this.#legal(offset + at);
      assert.ok(legal.has(value!), `the sector at ${offset + at} has ${value}, and not ${[...legal]}`);
    }
  }

  #legal(at: number): Set<number> {
    const here = this.#writes.filter(({ offset, length }) => offset <= at && at < offset + length);
    const done = here.filter((write) => write.done < Number.POSITIVE_INFINITY);
    const last = here.filter((write) => !done.some((other) => other.sent > write.done));
    return new Set([...(done.length === 0 ? [0] : []), ...last.map(({ value }) => value)]);
  }
}
