import type { ByteSource } from "./byte-source.ts";
import {
  type DiffFormat,
  type DiffHeader,
  type DiffRecord,
  diffBanner,
  diffTag,
  longestName,
} from "./diff-format.ts";
import { expectBanner, readString, safeU64, tagName } from "./primitives.ts";

/** A position, after a record, from which another process can continue to read a diff. */
export interface DiffCursor {
  readonly format: DiffFormat;
  readonly header: DiffHeader;
  /** Bytes from the start of the stream. */
  readonly position: number;
}

/**
 * Reads a diff from a stream, record by record, in either format. The bytes of a record are passed on as they arrive
 * and never held; the rest of a record is skipped. Everything is checked; errors are `TransferError`s.
 */
export class DiffReader {
  readonly format: DiffFormat;
  readonly header: DiffHeader;
  readonly #source: ByteSource;
  /** The tag of the next record, if already read. */
  #tag: number | undefined;
  /** Unread bytes of the current record. */
  #left = 0;

  private constructor(source: ByteSource, format: DiffFormat, header: DiffHeader, tag?: number) {
    this.#source = source;
    this.format = format;
    this.header = header;
    this.#tag = tag;
  }

  /** Reads up to the first record of data. */
  static async open(source: ByteSource): Promise<DiffReader> {
    const format = await expectBanner(source, [diffBanner[1], diffBanner[2]]);
    return format === diffBanner[1] ? readHeader(source, 1) : readHeader(source, 2);
  }

  /** Continues in a stream that begins at the cursor, or after the `tag` of the record there. */
  static resume(source: ByteSource, cursor: DiffCursor, tag?: number): DiffReader {
    return new DiffReader(source, cursor.format, cursor.header, tag);
  }

  /** The start of the next record; valid when all of the current one has been taken. */
  get cursor(): DiffCursor {
    const position = this.#source.position + this.#left - (this.#tag === undefined ? 0 : 1);
    return { format: this.format, header: this.header, position };
  }

  /**
   * The next record; undefined at the end.
   *
   * @throws TransferError SIPHON_TRANSFER_MALFORMED, SIPHON_TRANSFER_TRUNCATED
   */
  async next(): Promise<DiffRecord | undefined> {
    if (this.#left > 0) await this.#source.skip(this.#left);
    this.#left = 0;
    const source = this.#source;
    for (;;) {
      const tag = this.#tag ?? (await source.exactly(1))[0]!;
      this.#tag = undefined;
      if (tag === diffTag.end) {
        this.#tag = tag;
        return undefined;
      }
      const length = this.format === 2 ? safeU64(source, await source.exactly(8)) : undefined;
      if (tag === diffTag.write || tag === diffTag.zero) return this.#record(tag, length);
      if (length === undefined || isHeaderTag(tag)) {
        throw source.malformed(`record ${tagName(tag)} among the data`);
      }
      await source.skip(length);
    }
  }

  /**
   * The next `length` bytes of the current record, in portions that are views of the stream's.
   *
   * @throws RangeError for more bytes than the record has left; TransferError SIPHON_TRANSFER_TRUNCATED
   */
  async *payload(length = this.#left): AsyncGenerator<Buffer, void, undefined> {
    if (length > this.#left) throw new RangeError(`${length} bytes requested, ${this.#left} left`);
    for await (const part of this.#source.take(length)) {
      this.#left -= part.length;
      yield part;
    }
  }

  /**
   * As `ByteSource.fill`, with the next bytes of the record.
   *
   * @throws RangeError for more bytes than the record has left
   */
  fillPayload(into: Buffer): Promise<() => Promise<void>> {
    if (into.length > this.#left) throw new RangeError(`${into.length} bytes requested, ${this.#left} left`);
    this.#left -= into.length;
    return this.#source.fill(into);
  }

  /** Skips the next `length` bytes of the record. */
  async skipPayload(length: number): Promise<void> {
    for await (const _ of this.payload(length));
  }

  async #record(tag: number, claimed: number | undefined): Promise<DiffRecord> {
    const source = this.#source;
    const bytes = await source.exactly(16);
    const offset = safeU64(source, bytes);
    const length = safeU64(source, bytes, 8);
    const type = tag === diffTag.write ? "write" : "zero";
    const end = offset + length;
    if (length === 0) throw source.malformed(`a ${type} record of no bytes`);
    if (end > (this.header.size ?? Number.MAX_SAFE_INTEGER)) {
      throw source.malformed(`a ${type} record up to ${end} in an image of ${this.header.size} bytes`);
    }
    this.#left = type === "write" ? length : 0;
    if (claimed !== undefined && claimed !== 16 + this.#left) {
      throw source.malformed(`a ${type} record of ${claimed} bytes with ${this.#left} bytes of data`);
    }
    return { type, offset, length };
  }
}

async function readHeader(source: ByteSource, format: DiffFormat): Promise<DiffReader> {
  const header: { -readonly [Field in keyof DiffHeader]: DiffHeader[Field] } = {};
  for (;;) {
    const tag = (await source.exactly(1))[0]!;
    if (!isHeaderTag(tag)) {
      const isData = tag === diffTag.write || tag === diffTag.zero || tag === diffTag.end;
      if (isData) return DiffReader.resume(source, { format, header, position: source.position }, tag);
      if (format === 1) throw source.malformed(`unknown record ${tagName(tag)}`);
      await source.skip(safeU64(source, await source.exactly(8)));
      continue;
    }
    const claimed = format === 2 ? safeU64(source, await source.exactly(8)) : undefined;
    const start = source.position;
    if (tag === diffTag.fromSnapshot) header.from = await readString(source, longestName);
    else if (tag === diffTag.toSnapshot) header.to = await readString(source, longestName);
    else if (tag === diffTag.size) header.size = safeU64(source, await source.exactly(8));
    else header.isProtected = (await source.exactly(1))[0] !== 0;
    const length = source.position - start;
    // Ceph 16 says 8 of the single byte that follows `p`.
    const isKnownSlip = tag === diffTag.protection && claimed === 8;
    if (claimed !== undefined && claimed !== length && !isKnownSlip) {
      throw source.malformed(`record ${tagName(tag)} of ${claimed} bytes instead of ${length}`);
    }
  }
}

function isHeaderTag(tag: number): boolean {
  return (
    tag === diffTag.fromSnapshot ||
    tag === diffTag.toSnapshot ||
    tag === diffTag.protection ||
    tag === diffTag.size
  );
}
