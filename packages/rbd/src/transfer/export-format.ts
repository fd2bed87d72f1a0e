import { Writer } from "@siphon/wire";
import type { ByteSource } from "./byte-source.ts";
import { DiffReader } from "./diff-reader.ts";
import { expectBanner, safeU64 } from "./primitives.ts";

/**
 * An export of format 2 (Ceph's doc/dev/rbd-export.rst and src/tools/rbd/action/Export.cc): a banner, the image's
 * parameters, a second banner, the number of diffs (u64) and the diffs in format 2, from nothing over each snapshot to
 * the head. The parameters are records of a tag, the length of the content (u64), and
 *
 *     O  u64  object size, as a power of two     T  u64  features          M  string, string  metadata: key, value
 *     U  u64  stripe unit, bytes                 C  u64  stripe count      E  (no length) the end
 */
export interface ExportedImage {
  readonly order?: number | undefined;
  /** Bits of `imageFeature`. */
  readonly features?: number | undefined;
  readonly stripeUnit?: number | undefined;
  readonly stripeCount?: number | undefined;
  readonly metadata: ReadonlyMap<string, string>;
}

/** The beginning of an export, up to its first diff. */
export function encodeExportHeader(image: ExportedImage, diffs: number): Buffer {
  const w = new Writer().raw(Buffer.from(imageBanner));
  const numbers = [
    [tags.order, image.order],
    [tags.features, image.features],
    [tags.stripeUnit, image.stripeUnit],
    [tags.stripeCount, image.stripeCount],
  ] as const;
  for (const [tag, value] of numbers) if (value !== undefined) w.u8(tag).u64(8).u64(value);
  const keys = [...image.metadata.keys()].sort(byBytes);
  for (const key of keys) {
    const value = image.metadata.get(key)!;
    w.u8(tags.metadata).u64(8 + Buffer.byteLength(key) + Buffer.byteLength(value));
    w.string(key).string(value);
  }
  return w.u8(tags.end).raw(Buffer.from(diffsBanner)).u64(diffs).finish();
}

/** Reads an export: the image's parameters, then its diffs. */
export class ExportReader {
  readonly image: ExportedImage;
  /** How many diffs there are. */
  readonly diffs: number;
  readonly #source: ByteSource;
  #diff: DiffReader | undefined;
  #begun = 0;

  private constructor(source: ByteSource, image: ExportedImage, diffs: number) {
    this.#source = source;
    this.image = image;
    this.diffs = diffs;
  }

  static async open(source: ByteSource): Promise<ExportReader> {
    await expectBanner(source, [imageBanner]);
    const image = await readImage(source);
    await expectBanner(source, [diffsBanner]);
    return new ExportReader(source, image, safeU64(source, await source.exactly(8)));
  }

  /** The next diff; skips the rest of the previous one; undefined after the last. */
  async next(): Promise<DiffReader | undefined> {
    if (this.#diff !== undefined) while ((await this.#diff.next()) !== undefined);
    this.#diff = undefined;
    if (this.#begun === this.diffs) return undefined;
    this.#begun++;
    this.#diff = await DiffReader.open(this.#source);
    if (this.#diff.format !== 2) throw this.#source.malformed("a diff of format 1 in an export of format 2");
    return this.#diff;
  }
}

const imageBanner = "rbd image v2\n";
const diffsBanner = "rbd image diffs v2\n";
const tags = {
  order: 0x4f,
  features: 0x54,
  stripeUnit: 0x55,
  stripeCount: 0x43,
  metadata: 0x4d,
  end: 0x45,
} as const;

/** Maximum bytes of metadata: it is held in memory, and a stream could claim any amount. */
const mostMetadata = 16 * 1024 * 1024;

async function readImage(source: ByteSource): Promise<ExportedImage> {
  const metadata = new Map<string, string>();
  const image: { -readonly [Field in keyof ExportedImage]: ExportedImage[Field] } = { metadata };
  let metadataLeft = mostMetadata;
  for (;;) {
    const tag = (await source.exactly(1))[0]!;
    if (tag === tags.end) return image;
    const length = safeU64(source, await source.exactly(8));
    if (tag === tags.metadata) {
      metadataLeft -= length;
      if (metadataLeft < 0) throw source.malformed(`more than ${mostMetadata} bytes of metadata`);
      const [key, value] = decodePair(source, await source.exactly(length));
      metadata.set(key, value);
    } else if (numberTags.has(tag)) {
      if (length !== 8) throw source.malformed(`a number of ${length} bytes`);
      image[numberTags.get(tag)!] = safeU64(source, await source.exactly(8));
    } else {
      await source.skip(length);
    }
  }
}

const numberTags = new Map<number, "order" | "features" | "stripeUnit" | "stripeCount">([
  [tags.order, "order"],
  [tags.features, "features"],
  [tags.stripeUnit, "stripeUnit"],
  [tags.stripeCount, "stripeCount"],
]);

function decodePair(source: ByteSource, bytes: Buffer): [string, string] {
  const keyLength = bytes.length < 8 ? -1 : bytes.readUInt32LE(0);
  const valueAt = 4 + keyLength;
  if (keyLength < 0 || valueAt + 4 > bytes.length) throw source.malformed("metadata without a value");
  if (valueAt + 4 + bytes.readUInt32LE(valueAt) !== bytes.length) {
    throw source.malformed("metadata with inconsistent lengths");
  }
  return [bytes.toString("utf8", 4, valueAt), bytes.toString("utf8", valueAt + 4)];
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
