import { Reader, WireError, Writer } from "@siphon/wire";
import { RadosError } from "../../errors.ts";
import { NO_SNAP } from "../../objecter/snap-context.ts";
import { type ObjectPosition, readObjectPosition } from "../../osdmap/object-position.ts";

/**
 * A dump of a pool, as `rados export` writes it, and of a PG, as ceph-objectstore-tool does (src/tools/RadosDump.h):
 *
 *     u32 magic, u32 version, u32 bytes of a header, u32 bytes of a footer
 *     sections, each of:
 *       header (versioned): u16 0xffce, u8 kind, u8 kind again, i64 bytes of the content
 *       the content, and a footer (versioned): u32 magic; neither where the content has no bytes
 *
 * Between the sections of an object's begin and end are its data, attributes, omap header and omap, in any order and in parts.
 */
export const sectionKind = {
  ...{ pgBegin: 1, pgEnd: 2, objectBegin: 3, objectEnd: 4, data: 5, attributes: 6 },
  ...{ omapHeader: 7, omap: 8, pgMetadata: 9, poolBegin: 10, poolEnd: 11 },
} as const;
type SectionKind = (typeof sectionKind)[keyof typeof sectionKind];

/** A section of a dump; later releases may have added its kind. */
export interface Section {
  kind: number;
  content: Reader;
}

const magic = 0xffceffce;
const footerMagic = 0xecffffce;
const version = 2;
const headerBytes = 18;
const footerBytes = 10;

export function dumpStart(): Buffer {
  return new Writer().u32(magic).u32(version).u32(headerBytes).u32(footerBytes).finish();
}

/** @param content writes the fields; undefined for a section that has none */
export function section(kind: SectionKind, content?: (w: Writer) => void): Buffer {
  const body = new Writer();
  if (content !== undefined) body.versioned(1, 1, content);
  return framed(kind, body.finish());
}

/**
 * object_begin: version 2 has no object_info_t, which only OSDs need. hobject_t, u64 generation (none), i8 shard (none). Without hash and pool,
 * as in `rados export`.
 */
export function objectBegin(name: string, namespace: string, key: string): Buffer {
  const w = new Writer().versioned(2, 1, (w) => {
    w.versioned(4, 3, () =>
      w.string(key).string(name).u64(NO_SNAP).u32(0).bool(false).string(namespace).u64(noPool),
    );
    w.u64(-1).u8(noShard);
  });
  return framed(sectionKind.objectBegin, w.finish());
}

/** The object of the following sections. Fields after its position are for OSDs. */
export function readObjectBegin(r: Reader): ObjectPosition {
  return parsed(() => r.versioned("object_begin", 3, () => readObjectPosition(r)));
}

/** pg_begin: i64 pool, u32 seed and i32 in a pg_t, the OSD's superblock, i8 shard. */
export function readPgBegin(r: Reader): { pool: number; seed: number; isShard: boolean } {
  return parsed(() =>
    r.versioned("pg_begin", 3, (_, version) => {
      r.skip(1);
      const [pool, seed] = [r.i64Number(), r.u32()];
      r.skip(4);
      r.skipStruct();
      return { pool, seed, isShard: version > 2 && r.u8() !== noShard };
    }),
  );
}

/**
 * Reads a structure of a dump.
 *
 * @throws RadosError EFAULT for invalid bytes
 */
export function parsed<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new RadosError("EFAULT", `the dump is damaged: ${cause.message}`, { cause });
  }
}

/**
 * The sections of a dump, in order. The source is closed when reading ends.
 *
 * @throws RadosError EFAULT for an invalid, damaged or truncated dump
 */
export async function* readSections(source: AsyncIterable<Uint8Array>): AsyncGenerator<Section> {
  await using bytes = new ByteSource(source);
  const start = new Reader(await bytes.take(16));
  if (start.u32() !== magic) throw new RadosError("EFAULT", "this is not a dump of a pool");
  const found = start.u32();
  if (found > version) {
    throw new RadosError("EINVAL", `the dump has version ${found}; siphon reads version ${version}`);
  }
  const [headerLength, footerLength] = [start.u32(), start.u32()];
  for (;;) {
    const header = new Reader(await bytes.take(headerLength), "header of a section");
    const [kind, length] = parsed(() =>
      header.versioned("header", 1, (r) => [r.u32() >>> 24, r.i64Number()] as const),
    );
    if (length < 0) throw new RadosError("EFAULT", `the dump is damaged: a section of ${length} bytes`);
    const content = new Reader(await bytes.take(length), "section of a dump");
    if (length > 0) {
      const footer = new Reader(await bytes.take(footerLength), "footer of a section");
      if (parsed(() => footer.versioned("footer", 1, (r) => r.u32())) !== footerMagic) {
        throw new RadosError("EFAULT", "the dump is damaged: a section has no footer");
      }
    }
    yield { kind, content };
  }
}

function framed(kind: SectionKind, content: Buffer): Buffer {
  const w = new Writer(content.length + 64);
  w.versioned(1, 1, () => w.u32(((kind << 24) | (kind << 16) | (magic & 0xffff)) >>> 0).u64(content.length));
  if (content.length > 0) w.raw(content).versioned(1, 1, () => w.u32(footerMagic));
  return w.finish();
}

/** Takes a given number of bytes at a time from a stream. */
class ByteSource implements AsyncDisposable {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  async take(length: number): Promise<Buffer> {
    const parts = [this.#rest];
    let have = this.#rest.length;
    while (have < length) {
      const { done, value } = await this.#chunks.next();
      if (done) throw new RadosError("EFAULT", "the dump is truncated");
      parts.push(Buffer.from(value.buffer, value.byteOffset, value.length));
      have += value.length;
    }
    const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    this.#rest = bytes.subarray(length);
    return bytes.subarray(0, length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.return?.();
  }
}

/** shard_id_t::NO_SHARD, and the pool of an hobject_t that has none. */
const noShard = 0xff;
const noPool = -(2n ** 63n);
