import { Reader, readUtime, utimeToMilliseconds } from "@siphon/wire";
import { opCode, opFlag } from "../../objecter/op-code.ts";
import type { Op } from "../op.ts";

export interface Stat {
  /** Bytes. */
  size: number;
  mtime: Date;
  /** Nanoseconds of the second of `mtime`, which is exact to the millisecond only. */
  nanoseconds: number;
}

export interface Extent {
  /** Bytes, from the start of the object. */
  offset: number;
  length: number;
}

/** Parts of an object that have data. */
export interface ExtentMap {
  extents: Extent[];
  /** The bytes of all extents, one after the other. */
  data: Buffer;
}

export type ChecksumType = "xxhash32" | "xxhash64" | "crc32c";

/** The bytes that checksums cover. */
export interface ChecksumRange {
  offset?: number;
  length: number;
  /** Bytes of a chunk, of which the length is a multiple; without it the range is one chunk. */
  chunk?: number;
  /** Initial value of the checksum; default all ones. */
  initial?: bigint;
}

/** One value a chunk. */
export type Checksums = bigint[];

/** Hints about a new object (rados_set_alloc_hint2). */
export interface AllocationHint {
  /** Bytes. */
  objectSize: number;
  writeSize: number;
  expect?: readonly (keyof typeof allocationFlags)[];
}

interface Range {
  offset?: number;
  length?: number;
}

/** extent: u64 offset, u64 length (0: up to the end), u64 and u32 of truncations, unused. */
export function read({ offset = 0, length, into }: Range & { into?: Uint8Array }): Op<Buffer> {
  if (length === 0 || into?.length === 0) throw new RangeError("a read of no bytes");
  if (into !== undefined && length !== undefined && length > into.length) {
    throw new RangeError(`${length} bytes do not fit into ${into.length}`);
  }
  const op = extent(opCode.read, offset, length ?? into?.length ?? 0);
  return { ...op, ...(into && { into }), decode: (output) => output };
}

/** Output: map of u64 offsets to u64 lengths, u32 length, data. */
export function sparseRead({ offset = 0, length = 0 }: Range): Op<ExtentMap> {
  return {
    ...extent(opCode.sparseRead, offset, length),
    decode: (output) => {
      const r = new Reader(output, "extents of a sparse read");
      const extents = readExtents(r);
      const data = r.blob();
      const bytes = extents.reduce((sum, { length }) => sum + length, 0);
      if (bytes !== data.length) throw r.malformed(`${data.length} bytes for extents of ${bytes}`);
      return { extents, data };
    },
  };
}

/** Which parts have data, as the OSD's store has it. Output: map of u64 offsets to u64 lengths. */
export function mapExtents({ offset = 0, length = Number.MAX_SAFE_INTEGER }: Range): Op<Extent[]> {
  return {
    ...extent(opCode.mapExtents, offset, length),
    decode: (output) => readExtents(new Reader(output, "extents of an object")),
  };
}

/** u32 count, and of each: u64 offset, u64 length. */
export function readExtents(r: Reader): Extent[] {
  return r.list(16, () => ({ offset: r.u64Number(), length: r.u64Number() }));
}

/** Output: u64 size, utime. */
export function stat(): Op<Stat> {
  return {
    code: opCode.stat,
    decode: (output) => {
      const r = new Reader(output, "size and time of an object");
      const size = r.u64Number();
      const time = readUtime(r);
      return { size, mtime: new Date(utimeToMilliseconds(time)), nanoseconds: time.nanoseconds };
    },
  };
}

/**
 * checksum: u64 offset, u64 length, u32 chunk size, u8 type; input: the value to start from. Output: u32 count,
 * as many values.
 */
export function checksum(
  type: ChecksumType,
  { offset = 0, length, chunk = 0, initial = 0xffff_ffff_ffff_ffffn }: ChecksumRange,
): Op<Checksums> {
  const { number, bytes } = checksumTypes[type];
  const input = Buffer.alloc(8);
  input.writeBigUInt64LE(BigInt.asUintN(64, initial));
  return {
    code: opCode.checksum,
    writeArguments: (ops, at) => {
      ops.setU64(at, offset);
      ops.setU64(at + 8, length);
      ops.view.setUint32(at + 16, chunk, true);
      ops.view.setUint8(at + 20, number);
    },
    input: input.subarray(0, bytes),
    decode: (output) => {
      const r = new Reader(output, "checksums");
      return r.list(bytes, () => (bytes === 8 ? r.u64() : BigInt(r.u32())));
    },
  };
}

const checksumTypes = {
  xxhash32: { number: 0, bytes: 4 },
  xxhash64: { number: 1, bytes: 8 },
  crc32c: { number: 2, bytes: 4 },
} as const;

export function compareExtent(offset: number, expected: Uint8Array): Op<void> {
  return extent(opCode.compareExtent, offset, expected.length, expected);
}

/** The result of a comparison that found a difference: -4095 and as much less as it is far from the start. */
export const mismatchResult = -4095;

export function write(offset: number, data: Uint8Array): Op<void> {
  return extent(opCode.write, offset, data.length, data);
}

export function writeFull(data: Uint8Array): Op<void> {
  return extent(opCode.writeFull, 0, data.length, data);
}

export function append(data: Uint8Array): Op<void> {
  return extent(opCode.append, 0, data.length, data);
}

export function zero(offset: number, length: number): Op<void> {
  return extent(opCode.zero, offset, length);
}

export function truncate(size: number): Op<void> {
  return extent(opCode.truncate, size, 0);
}

/** writesame: u64 offset, u64 length, u64 length of the data. */
export function writeSame(offset: number, length: number, data: Uint8Array): Op<void> {
  return {
    code: opCode.writeSame,
    writeArguments: (ops, at) => {
      ops.setU64(at, offset);
      ops.setU64(at + 8, length);
      ops.setU64(at + 16, data.length);
    },
    input: data,
    decode: () => {},
  };
}

export function create(): Op<void> {
  return { code: opCode.create, decode: () => {} };
}

export function remove(): Op<void> {
  return { code: opCode.delete, decode: () => {} };
}

/** alloc_hint: u64 size of the object, u64 of a write, u32 flags. */
export function allocationHint({ objectSize, writeSize, expect = [] }: AllocationHint): Op<void> {
  return {
    code: opCode.setAllocHint,
    flags: opFlag.failOk,
    writeArguments: (ops, at) => {
      ops.setU64(at, objectSize);
      ops.setU64(at + 8, writeSize);
      ops.view.setUint32(
        at + 16,
        expect.reduce((flags, name) => flags | allocationFlags[name], 0),
        true,
      );
    },
    decode: () => {},
  };
}

/** CEPH_OSD_ALLOC_HINT_FLAG_*. */
const allocationFlags = {
  sequentialWrite: 1,
  randomWrite: 2,
  sequentialRead: 4,
  randomRead: 8,
  appendOnly: 16,
  immutable: 32,
  shortLived: 64,
  longLived: 128,
  compressible: 256,
  incompressible: 512,
};

function extent(code: number, offset: number, length: number, input?: Uint8Array): Op<void> {
  return {
    code,
    writeArguments: (ops, at) => {
      ops.setU64(at, offset);
      ops.setU64(at + 8, length);
    },
    ...(input && { input }),
    decode: () => {},
  };
}
