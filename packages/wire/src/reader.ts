import { WireError } from "./wire-error.ts";

/** How a struct began that was first written without the compat version or the length. */
export interface LegacyStart {
  /** The first struct version that carries a compat version. */
  compatSince: number;
  /** The first struct version that carries a length. */
  lengthSince: number;
}

/**
 * A cursor over little-endian bytes, in the encoding of Ceph's src/include/encoding.h.
 *
 * Every read is checked against what is left before anything is allocated, so hostile input ends in a
 * `WireError` and never in more memory than it carries. Blobs are views of the input, not copies.
 */
export class Reader {
  readonly bytes: Buffer;
  #position: number;
  #end: number;
  #what: string;

  /**
   * @param bytes the input; read from `start` up to `end` (offsets in bytes)
   * @param what what the bytes hold, for error messages
   * @throws RangeError for a range outside of the bytes
   */
  constructor(bytes: Uint8Array, what = "message", start = 0, end = bytes.length) {
    this.bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (start < 0 || end > bytes.length || start > end) {
      throw new RangeError(`bytes ${start} to ${end} are outside a buffer of ${bytes.length} bytes`);
    }
    this.#position = start;
    this.#end = end;
    this.#what = what;
  }

  /** Offset of the next byte in `bytes`. */
  get position(): number {
    return this.#position;
  }

  /** Bytes left, within the struct being read if there is one. */
  get remaining(): number {
    return this.#end - this.#position;
  }

  u8(): number {
    return this.bytes[this.#take(1)]!;
  }

  bool(): boolean {
    return this.u8() !== 0;
  }

  u16(): number {
    const at = this.#take(2);
    return this.bytes[at]! | (this.bytes[at + 1]! << 8);
  }

  u32(): number {
    return this.i32() >>> 0;
  }

  i32(): number {
    const at = this.#take(4);
    const b = this.bytes;
    return b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24);
  }

  u64(): bigint {
    return this.bytes.readBigUInt64LE(this.#take(8));
  }

  i64(): bigint {
    return this.bytes.readBigInt64LE(this.#take(8));
  }

  /**
   * A u64 as a number.
   *
   * @throws WireError for 2^53 or more, where a number would lose bits
   */
  u64Number(): number {
    const low = this.u32();
    const high = this.u32();
    if (high > 0x1fffff) {
      throw this.malformed(`a 64-bit number of 2^53 or more (high half 0x${high.toString(16)})`);
    }
    return high * 0x1_0000_0000 + low;
  }

  /**
   * An i64 as a number.
   *
   * @throws WireError outside ±2^53
   */
  i64Number(): number {
    const low = this.u32();
    const high = this.i32();
    if (high > 0x1fffff || high < -0x200000) {
      throw this.malformed(`a 64-bit number beyond 2^53 (high half ${high})`);
    }
    return high * 0x1_0000_0000 + low;
  }

  f32(): number {
    return this.bytes.readFloatLE(this.#take(4));
  }

  f64(): number {
    return this.bytes.readDoubleLE(this.#take(8));
  }

  /** A view of the next `length` bytes. */
  raw(length: number): Buffer {
    const at = this.#take(length);
    return this.bytes.subarray(at, at + length);
  }

  /** A view of the bytes behind a 32-bit length. */
  blob(): Buffer {
    return this.raw(this.u32());
  }

  /** UTF-8 text behind a 32-bit length. */
  string(): string {
    const length = this.u32();
    const at = this.#take(length);
    return this.bytes.toString("utf8", at, at + length);
  }

  skip(length: number): void {
    this.#take(length);
  }

  /**
   * A 32-bit item count.
   *
   * @throws WireError where not that many items of at least `itemBytes` each can follow
   */
  count(itemBytes: number): number {
    const count = this.u32();
    if (count * itemBytes > this.remaining) {
      throw new WireError(
        "SIPHON_WIRE_TRUNCATED",
        `truncated ${this.#what}: ${count} items of at least ${itemBytes} bytes at offset ${this.#position}, ${this.remaining} bytes left`,
      );
    }
    return count;
  }

  /** A counted list; `itemBytes` is the least that one item takes on the wire (at least 1). */
  list<T>(itemBytes: number, item: (r: this) => T): T[] {
    const items: T[] = [];
    for (let left = this.count(itemBytes); left > 0; left--) items.push(item(this));
    return items;
  }

  /** A counted map; `entryBytes` is the least that one entry takes on the wire (at least 1). */
  map<K, V>(entryBytes: number, key: (r: this) => K, value: (r: this) => V): Map<K, V> {
    const entries = new Map<K, V>();
    for (let left = this.count(entryBytes); left > 0; left--) {
      const k = key(this);
      entries.set(k, value(this));
    }
    return entries;
  }

  /**
   * A versioned struct (ENCODE_START: u8 version, u8 compat, u32 length). `body` reads the fields it
   * knows of the given version; fields of newer versions are skipped by the length.
   *
   * @param understood the newest version `body` reads; a struct with a newer compat version is refused
   * @throws WireError for a struct whose compat version is newer than `understood`, or that is cut short
   */
  versioned<T>(
    name: string,
    understood: number,
    body: (r: this, version: number) => T,
    legacy?: LegacyStart,
  ): T {
    const outerEnd = this.#end;
    const outerWhat = this.#what;
    this.#what = name;
    const version = this.u8();
    if (legacy === undefined || version >= legacy.compatSince) {
      const compat = this.u8();
      if (compat > understood) {
        throw new WireError(
          "SIPHON_WIRE_INCOMPATIBLE",
          `${name} needs a reader of version ${compat}; this one knows version ${understood}`,
          { hint: "the peer runs a newer release of Ceph: upgrade siphon" },
        );
      }
    }
    const hasLength = legacy === undefined || version >= legacy.lengthSince;
    if (hasLength) {
      const length = this.u32();
      if (length > this.remaining) throw this.#truncated(length);
      this.#end = this.#position + length;
    }
    const value = body(this, version);
    if (hasLength) this.#position = this.#end;
    this.#end = outerEnd;
    this.#what = outerWhat;
    return value;
  }

  /** Skips a versioned struct of any version, and returns a reader of its bytes. */
  struct(name: string): Reader {
    const start = this.#position;
    this.skipStruct();
    return new Reader(this.bytes, name, start, this.#position);
  }

  skipStruct(): void {
    this.skip(2);
    this.skip(this.u32());
  }

  /** The error for a value that no valid encoder writes here; the caller throws it. */
  malformed(found: string): WireError {
    return new WireError("SIPHON_WIRE_MALFORMED", `malformed ${this.#what}: ${found}`);
  }

  #take(length: number): number {
    const at = this.#position;
    if (length > this.#end - at) throw this.#truncated(length);
    this.#position = at + length;
    return at;
  }

  #truncated(needed: number): WireError {
    return new WireError(
      "SIPHON_WIRE_TRUNCATED",
      `truncated ${this.#what}: ${needed} bytes needed at offset ${this.#position}, ${this.remaining} left`,
    );
  }
}
