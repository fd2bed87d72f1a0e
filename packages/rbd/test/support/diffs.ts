import fc from "fast-check";
import type { ByteSink } from "../../src/transfer/byte-sink.ts";
import { ByteSource } from "../../src/transfer/byte-source.ts";
import type { DiffFormat, DiffHeader } from "../../src/transfer/diff-format.ts";
import type { DiffReader } from "../../src/transfer/diff-reader.ts";
import { DiffWriter } from "../../src/transfer/diff-writer.ts";

/** A whole diff in memory. */
export interface Diff {
  header: DiffHeader;
  records: { offset: number; length: number; data: Buffer | undefined }[];
}

/** Gathers all that is written. */
export class MemorySink implements ByteSink {
  readonly #parts: Uint8Array[] = [];

  write(bytes: Uint8Array): void {
    // Whose they are may use them again after `finish`.
    this.#parts.push(Uint8Array.from(bytes));
  }

  async finish(): Promise<void> {}

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** The bytes as a stream in portions of `portion` bytes. */
export function sourceOf(bytes: Uint8Array, portion = 7, what = "diff"): ByteSource {
  return new ByteSource(portions(bytes, portion), what);
}

export async function encodeDiff(diff: Diff, format: DiffFormat): Promise<Buffer> {
  const sink = new MemorySink();
  const writer = new DiffWriter(sink, format);
  await writer.header(diff.header);
  for (const { offset, length, data } of diff.records) {
    if (data === undefined) {
      await writer.zero(offset, length);
    } else {
      await writer.write(offset, length);
      await writer.data(data);
    }
  }
  await writer.end();
  return sink.bytes;
}

export async function decodeDiff(reader: DiffReader): Promise<Diff> {
  const records: Diff["records"] = [];
  for (let record = await reader.next(); record; record = await reader.next()) {
    const { type, offset, length } = record;
    const data = type === "write" ? await whole(reader.payload()) : undefined;
    records.push({ offset, length, data });
  }
  return { header: reader.header, records };
}

export async function whole(portions: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of portions) parts.push(part);
  return Buffer.concat(parts);
}

/** Diffs whose records are in order and do not overlap, in units of `unit` bytes, between these snapshots. */
export function diffs(from: string | undefined, to: string | undefined, unit = 16): fc.Arbitrary<Diff> {
  const gaps = fc.array(
    fc.record({ gap: fc.nat(3), length: fc.integer({ min: 1, max: 4 }), byte: fc.nat(255) }),
    {
      maxLength: 12,
    },
  );
  return fc.record({ gaps, room: fc.nat(8) }).map(({ gaps, room }) => {
    const records: Diff["records"] = [];
    let at = 0;
    for (const { gap, length, byte } of gaps) {
      at += gap * unit;
      const data = byte % 3 === 0 ? undefined : Buffer.alloc(length * unit, byte);
      records.push({ offset: at, length: length * unit, data });
      at += length * unit;
    }
    return { header: { from, to, size: at + room * unit }, records };
  });
}

async function* portions(bytes: Uint8Array, portion: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += portion) yield bytes.subarray(at, at + portion);
}
