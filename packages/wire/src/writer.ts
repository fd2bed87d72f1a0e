import { WireError } from "./wire-error.ts";

/**
 * One growing buffer written to from front to back, little-endian, in the encoding of Ceph's
 * src/include/encoding.h. Calls chain: `new Writer().u8(1).string("client").finish()`.
 */
export class Writer {
  #bytes: Buffer;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    const at = this.#grow(1);
    this.#bytes[at] = value;
    return this;
  }

  bool(value: boolean): this {
    return this.u8(value ? 1 : 0);
  }

  u16(value: number): this {
    const at = this.#grow(2);
    this.#bytes[at] = value;
    this.#bytes[at + 1] = value >> 8;
    return this;
  }

  /** 32 bits; an i32 is written by the same call. */
  u32(value: number): this {
    this.setU32(this.#grow(4), value);
    return this;
  }

  i32(value: number): this {
    return this.u32(value);
  }

  /**
   * 64 bits from a BigInt or a safe integer; negative values in two's complement.
   *
   * @throws WireError SIPHON_WIRE_RANGE for a number that is not a safe integer, and for more than 64 bits
   */
  u64(value: bigint | number): this {
    const at = this.#grow(8);
    if (typeof value === "bigint") {
      this.#bytes.writeBigUInt64LE(BigInt.asUintN(64, value), at);
      return this;
    }
    if (!Number.isSafeInteger(value)) {
      throw new WireError("SIPHON_WIRE_RANGE", `cannot write ${value} as a 64-bit integer`);
    }
    this.setU32(at, value);
    this.setU32(at + 4, Math.floor(value / 0x1_0000_0000));
    return this;
  }

  f32(value: number): this {
    const at = this.#grow(4);
    this.#bytes.writeFloatLE(value, at);
    return this;
  }

  f64(value: number): this {
    const at = this.#grow(8);
    this.#bytes.writeDoubleLE(value, at);
    return this;
  }

  raw(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** A 32-bit length and the bytes. */
  blob(bytes: Uint8Array): this {
    return this.u32(bytes.length).raw(bytes);
  }

  /** A 32-bit length and the text in UTF-8. */
  string(text: string): this {
    const length = Buffer.byteLength(text);
    const at = this.u32(length).#grow(length);
    this.#bytes.write(text, at);
    return this;
  }

  zeros(length: number): this {
    const at = this.#grow(length);
    this.#bytes.fill(0, at, at + length);
    return this;
  }

  /** A 32-bit count and each item as `item` writes it. */
  list<T>(items: readonly T[], item: (w: this, value: T) => void): this {
    this.u32(items.length);
    for (const value of items) item(this, value);
    return this;
  }

  /** A 32-bit count and each entry as `entry` writes it. */
  map<K, V>(entries: ReadonlyMap<K, V>, entry: (w: this, key: K, value: V) => void): this {
    this.u32(entries.size);
    for (const [key, value] of entries) entry(this, key, value);
    return this;
  }

  /** A versioned struct (ENCODE_START: u8 version, u8 compat, u32 length) around what `body` writes. */
  versioned(version: number, compat: number, body: (w: this) => void): this {
    this.u8(version).u8(compat);
    const lengthAt = this.#grow(4);
    body(this);
    this.setU32(lengthAt, this.#length - lengthAt - 4);
    return this;
  }

  /** Overwrites four bytes already written, for a length or checksum known only later. */
  setU32(at: number, value: number): void {
    const b = this.#bytes;
    b[at] = value;
    b[at + 1] = value >> 8;
    b[at + 2] = value >> 16;
    b[at + 3] = value >> 24;
  }

  /** The bytes written so far, as a view: writing after `reset` overwrites it. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Starts over, keeping the memory. */
  reset(): this {
    this.#length = 0;
    return this;
  }

  /** Makes room and returns its offset; called before `#bytes` is read, for it may replace it. */
  #grow(size: number): number {
    const at = this.#length;
    const needed = at + size;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    this.#length = needed;
    return at;
  }
}
