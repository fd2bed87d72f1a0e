import {
  blankAddr,
  crc32c,
  type EntityAddr,
  Writer,
  writeEntityAddr,
  writeEntityAddrVec,
  writeUuid,
} from "@siphon/wire";
import type { PgId } from "../../src/osdmap/pg.ts";

/** The parts of an OSD map that a test sets; the rest is encoded empty. */
export interface MapSpec {
  fsid: string;
  epoch: number;
  crush: Uint8Array;
  pools: PoolSpec[];
  osds: OsdSpec[];
  flags?: number;
  pgTemp?: [PgId, number[]][];
  primaryTemp?: [PgId, number][];
  upmap?: [PgId, number[]][];
  upmapItems?: [PgId, number[]][];
  upmapPrimaries?: [PgId, number][];
  blocklist?: EntityAddr[];
  blockedRanges?: EntityAddr[];
  osdRelease?: number;
  /** So many bytes that nobody knows yet, at the end of each part and each pool; those must have what is known last. */
  toCome?: number;
}

export interface PoolSpec {
  id: number;
  name: string;
  type: number;
  size: number;
  rule: number;
  pgNum: number;
  pgpNum: number;
  flags: number;
  nonprimaryShards?: number[];
}

export interface OsdSpec {
  state: number;
  weight: number;
  affinity: number;
}

/**
 * A full map in the encoding of OSDMap::encode (src/osd/OSDMap.cc), as Ceph 16 writes it, or as Ceph 20
 * does where the spec has something that came later.
 */
export function osdMapBytes(spec: MapSpec): Buffer {
  const primaries = spec.upmapPrimaries ?? [];
  const { toCome = 0 } = spec;
  const w = new Writer(4096);
  let crcAt = 0;
  w.versioned(8, 7, () => {
    w.versioned(versionOf(primaries.length > 0 ? 10 : 9, toCome), 1, () => {
      writeUuid(w, spec.fsid);
      w.u32(spec.epoch).zeros(16);
      w.list(spec.pools, (_, pool) => writePool(w.u64(pool.id), pool, toCome));
      w.list(spec.pools, (_, pool) => w.u64(pool.id).string(pool.name));
      w.i32(Math.max(0, ...spec.pools.map((pool) => pool.id))).u32(spec.flags ?? 0);
      w.i32(spec.osds.length);
      w.list(spec.osds, (_, osd) => w.u32(osd.state));
      w.list(spec.osds, (_, osd) => w.u32(osd.weight));
      w.list(spec.osds, () => writeEntityAddrVec(w, []));
      writePgLists(w, spec.pgTemp);
      writePgNumbers(w, spec.primaryTemp);
      w.list(spec.osds, (_, osd) => w.u32(osd.affinity));
      w.blob(spec.crush);
      w.u32(0);
      writePgLists(w, spec.upmap);
      w.list(spec.upmapItems ?? [], (_, [pg, pairs]) => {
        writePg(w, pg);
        w.u32(pairs.length / 2);
        for (const osd of pairs) w.i32(osd);
      });
      w.u32(1).u32(0).u32(0).zeros(16);
      if (primaries.length > 0) writePgNumbers(w, primaries);
      w.zeros(toCome);
    });
    const ranges = spec.blockedRanges ?? [];
    w.versioned(versionOf(ranges.length > 0 ? 11 : 9, toCome), 1, () => {
      w.list(spec.osds, () => writeEntityAddrVec(w, []));
      w.list(spec.osds, () => w.u8(1).zeros(24));
      writeBlocklist(w, spec.blocklist ?? []);
      w.list(spec.osds, () => writeEntityAddrVec(w, []));
      w.u32(0).u32(0);
      w.list(spec.osds, () => w.zeros(16));
      w.list(spec.osds, () => w.versioned(4, 1, () => w.zeros(8 + 4 + 4 + 8 + 4 + 8 + 4)));
      w.list(spec.osds, () => writeEntityAddrVec(w, []));
      w.f32(0.85)
        .f32(0.95)
        .f32(0.9)
        .u8(0)
        .u8(spec.osdRelease ?? 0);
      w.u32(0).u32(0).u32(0);
      if (ranges.length > 0) {
        w.zeros(1 + 4 * 4);
        writeBlocklist(w, ranges);
      }
      w.zeros(toCome);
    });
    crcAt = w.length;
    w.u32(0);
  });
  return withChecksum(w.finish(), crcAt);
}

/** An encoding that ends with unknown fields has an unknown version. */
function versionOf(known: number, toCome: number): number {
  return toCome > 0 ? 200 : known;
}

/** Fills in the checksum of all bytes but its own. */
export function withChecksum(bytes: Buffer, crcAt: number): Buffer {
  bytes.writeUInt32LE(crc32c(crc32c(0xffffffff, bytes, 0, crcAt), bytes, crcAt + 4), crcAt);
  return bytes;
}

function writePool(w: Writer, pool: PoolSpec, toCome: number): void {
  const shards = pool.nonprimaryShards ?? [];
  w.versioned(versionOf(shards.length > 0 ? 32 : 29, toCome), 5, () => {
    w.u8(pool.type).u8(pool.size).u8(pool.rule).u8(2).u32(pool.pgNum).u32(pool.pgpNum);
    w.zeros(8).u32(1).u64(0).u32(0).u32(0).u32(0).u64(0).u64(pool.flags).u32(0).u8(1);
    w.u64(0).u64(0).u32(0).u64(-1).u8(0).u64(-1).u64(-1).u32(0);
    w.versioned(1, 1, () => w.u8(0))
      .u32(0)
      .u32(0)
      .u32(0)
      .zeros(8 + 8 + 4 + 4 + 4 + 4);
    w.string("").u32(0).u32(0).u64(0).u32(0).u32(0).u8(0).u8(0).u32(0).u32(0);
    w.versioned(2, 1, () => w.u32(0)).u32(0);
    w.map(new Map([["rbd", new Map([["a", "b"]])]]), (_, name, settings) =>
      w.string(name).map(settings, (_w, key, value) => w.string(key).string(value)),
    );
    w.zeros(8).u32(pool.pgNum).u32(pool.pgpNum).u32(pool.pgNum).zeros(8).u32(0).u8(0);
    w.versioned(1, 1, () => w.u8(1).u64(0).u32(0).i32(-1).zeros(12).zeros(12).zeros(12));
    if (shards.length > 0) {
      w.u8(0);
      w.u8(shards.reduce((bits, shard) => bits | (1 << shard), 0)).u8(0);
    }
    w.zeros(toCome);
  });
}

function writePg(w: Writer, { pool, seed }: PgId): void {
  w.u8(1).u64(pool).u32(seed).i32(-1);
}

function writePgLists(w: Writer, entries: [PgId, number[]][] = []): void {
  w.list(entries, (_, [pg, osds]) => {
    writePg(w, pg);
    w.list(osds, (_w, osd) => w.i32(osd));
  });
}

function writePgNumbers(w: Writer, entries: [PgId, number][] = []): void {
  w.list(entries, (_, [pg, osd]) => {
    writePg(w, pg);
    w.i32(osd);
  });
}

function writeBlocklist(w: Writer, addrs: readonly EntityAddr[]): void {
  w.list(addrs, (_, addr) => {
    writeEntityAddr(w, { ...blankAddr, ...addr });
    w.u32(2_000_000_000).u32(0);
  });
}
