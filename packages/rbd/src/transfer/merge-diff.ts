import type { ByteSink } from "./byte-sink.ts";
import type { ByteSource } from "./byte-source.ts";
import type { DiffRecord } from "./diff-format.ts";
import { DiffReader } from "./diff-reader.ts";
import { DiffWriter } from "./diff-writer.ts";
import { TransferError } from "./transfer-error.ts";

/**
 * Merges two successive diffs into one, byte for byte as `rbd merge-diff` does. Both are read once, sequentially, and
 * only the current portions are in memory. Both must have format 1, with records in order of offset (diffs of images
 * with fancy striping do not).
 *
 * @param onProgress called with the bytes of the image that were read, summed over both
 * @throws TransferError SIPHON_TRANSFER_MISMATCH for diffs that are not successive
 */
export async function mergeDiffs(
  first: ByteSource,
  second: ByteSource,
  sink: ByteSink,
  onProgress: (read: number, total: number) => void = () => {},
): Promise<void> {
  const earlier = await Side.open(first);
  const later = await Side.open(second);
  if ((earlier.header.to ?? "") !== (later.header.from ?? "")) {
    throw new TransferError(
      "SIPHON_TRANSFER_MISMATCH",
      `${first.what} leads to ${named(earlier.header.to)}, ${second.what} starts from ${named(later.header.from)}`,
      { hint: "give all diffs in the order of their creation" },
    );
  }
  const [earlierSize, laterSize] = [earlier.size, later.size];
  const total = 2 * Math.max(earlierSize, laterSize);
  const writer = new DiffWriter(sink, 1);
  await writer.header({
    from: earlier.header.from || undefined,
    to: later.header.to || undefined,
    size: laterSize,
  });

  // The later diff wins. If the image has grown, the earlier diff counts as zeros up to the new size; if it has shrunk,
  // the later diff hides the truncated part.
  for (;;) {
    onProgress(earlier.offset + later.offset, total);
    await earlier.fetch(laterSize);
    await later.fetch(earlierSize);
    if (earlier.length > 0 && earlier.offset < later.offset) {
      await earlier.passTo(writer, Math.min(earlier.length, later.offset - earlier.offset));
    } else if (earlier.length > 0 && earlier.offset < later.offset + later.length) {
      await earlier.drop(Math.min(earlier.length, later.offset + later.length - earlier.offset));
    } else if (later.length > 0) {
      if (later.ended) await later.drop(later.length);
      else await later.passTo(writer, later.length);
    } else if (earlier.ended && later.ended && earlier.length === 0) {
      break;
    }
  }
  await writer.end();
  await sink.finish();
}

/** One of the two diffs, with the rest of its current record. */
class Side {
  offset = 0;
  length = 0;
  /** No records are left; `length` is how far the other diff's image size exceeds its own. */
  ended = false;
  readonly size: number;
  readonly #reader: DiffReader;
  readonly #source: ByteSource;
  #type: DiffRecord["type"] = "zero";

  private constructor(source: ByteSource, reader: DiffReader) {
    if (reader.header.size === undefined) throw source.malformed("data without the image's size");
    this.size = reader.header.size;
    this.#source = source;
    this.#reader = reader;
  }

  static async open(source: ByteSource): Promise<Side> {
    const reader = await DiffReader.open(source);
    if (reader.format === 1) return new Side(source, reader);
    throw new TransferError(
      "SIPHON_TRANSFER_BANNER",
      `${source.what} is a diff of format 2; only those of format 1 can be merged`,
    );
  }

  get header() {
    return this.#reader.header;
  }

  /** Takes the next record if the current one is used up. */
  async fetch(otherSize: number): Promise<void> {
    if (this.ended || this.length > 0) return;
    const { size } = this;
    const record = await this.#reader.next();
    this.ended = record === undefined;
    const offset = record?.offset ?? size;
    if (offset < this.offset) {
      throw this.#source.malformed(
        `a record at ${offset}, before the end of the previous one at ${this.offset}`,
      );
    }
    this.offset = offset;
    this.length = record?.length ?? Math.max(0, otherSize - size);
    this.#type = record?.type ?? "zero";
  }

  async passTo(writer: DiffWriter, length: number): Promise<void> {
    if (this.#type === "zero") {
      await writer.zero(this.offset, length);
    } else {
      await writer.write(this.offset, length);
      for await (const part of this.#reader.payload(length)) await writer.data(part);
    }
    this.#advance(length);
  }

  async drop(length: number): Promise<void> {
    if (this.#type === "write") await this.#reader.skipPayload(length);
    this.#advance(length);
  }

  #advance(length: number): void {
    this.offset += length;
    this.length -= length;
  }
}

function named(snapshot: string | undefined): string {
  return snapshot ? `snapshot ${snapshot}` : "no snapshot";
}
