/** A loss of acknowledged data, which must never happen. */
export class Violation extends Error {
  constructor(what: "lost" | "torn" | "stale" | "alien" | "twice" | "disordered", details: string) {
    super(`${what}: ${details}`);
    this.name = "Violation";
  }
}

/**
 * The versions written to blocks of equal size, and those that a read may return: for each block one complete version,
 * from the last acknowledged before the read to the last sent. Writes to a block may overlap in time; they count in the
 * order in which they began.
 */
export class BlockHistory {
  readonly blockBytes: number;
  readonly #blocks = new Map<number, Block>();

  /** @param blockBytes a multiple of 512 */
  constructor(blockBytes: number) {
    this.blockBytes = blockBytes;
  }

  /** The number of blocks ever written. */
  get size(): number {
    return this.#blocks.size;
  }

  /** Starts a write of a block; returns its bytes. */
  startWrite(block: number): { version: number; bytes: Buffer } {
    const { started } = this.#of(block);
    const version = started + 1;
    this.#of(block).started = version;
    return { version, bytes: this.#content(block, version) };
  }

  acknowledge(block: number, version: number): void {
    const known = this.#of(block);
    known.acknowledged = Math.max(known.acknowledged, version);
  }

  /** The last version sent. */
  startedOf(block: number): number {
    return this.#of(block).started;
  }

  /** Starts a read; returns the least version that it may return. */
  startRead(block: number): number {
    return this.#of(block).acknowledged;
  }

  /**
   * @param least the result of `startRead`
   * @param bytes shorter ones end in zeros; a block that was never written is zeros
   * @returns the version that was read
   * @throws Violation
   */
  check(block: number, least: number, bytes: Buffer): number {
    const version = bytes.length >= 8 ? bytes.readUInt32LE(4) : 0;
    const where = `block ${block}: version ${version} was read, ${least} was acknowledged before`;
    const { started } = this.#of(block);
    if (version > started) throw new Violation("alien", `${where}, ${started} is the last one written`);
    const expected = version === 0 ? Buffer.alloc(this.blockBytes) : this.#content(block, version);
    const differs = firstDifference(bytes, expected);
    if (differs >= 0) throw new Violation("torn", `${where}, and it differs at byte ${differs}`);
    if (version < least) throw new Violation(version === 0 ? "lost" : "stale", where);
    return version;
  }

  /** Per 512 bytes: u32 block, u32 version, u32 index within the block, and a pattern that depends on all three. */
  #content(block: number, version: number): Buffer {
    const bytes = Buffer.alloc(this.blockBytes);
    for (let at = 0; at < bytes.length; at += sector) {
      const pattern = (Math.imul(version, 2_654_435_761) ^ Math.imul(block, 40_503) ^ at) >>> 0;
      bytes.fill(pattern & 0xff, at, at + sector);
      bytes.writeUInt32LE(block, at);
      bytes.writeUInt32LE(version, at + 4);
      bytes.writeUInt32LE(at / sector, at + 8);
    }
    return bytes;
  }

  #of(block: number): Block {
    let known = this.#blocks.get(block);
    if (known === undefined) {
      known = { started: 0, acknowledged: 0 };
      this.#blocks.set(block, known);
    }
    return known;
  }
}

interface Block {
  started: number;
  acknowledged: number;
}

const sector = 512;

function firstDifference(bytes: Buffer, expected: Buffer): number {
  if (bytes.equals(expected)) return -1;
  for (let at = 0; at < expected.length; at++) if ((bytes[at] ?? 0) !== expected[at]) return at;
  return bytes.length > expected.length ? expected.length : -1;
}
