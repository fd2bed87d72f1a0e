import { type Reader, readUtime, type Utime } from "@siphon/wire";

/** A pool in the OSD map (pg_pool_t in src/osd/osd_types.h), without fields that only OSDs and monitors need. */
export interface Pool {
  id: number;
  type: PoolType;
  /** Copies, or shards of an erasure-coded pool. */
  size: number;
  minSize: number;
  crushRule: number;
  /** How object names are hashed: 1 Linux' dcache hash, 2 rjenkins. */
  objectHash: number;
  pgNum: number;
  /** PGs that are placed on their own; differs from `pgNum` after a split or before a merge. */
  pgpNum: number;
  pgNumTarget: number;
  pgpNumTarget: number;
  pgNumPending: number;
  /** Bits of PoolFlag. */
  flags: number;
  /** Epoch of the last change of the pool itself. */
  lastChange: number;
  /** Epochs at which clients must send their operations again. */
  lastForceResend: number;
  lastForceResendPrenautilus: number;
  lastForceResendPreluminous: number;
  snapSeq: bigint;
  snapEpoch: number;
  /** Snapshots of the whole pool, by id. */
  snaps: ReadonlyMap<bigint, PoolSnap>;
  /** Limits; 0: none. */
  quotaMaxBytes: bigint;
  quotaMaxObjects: bigint;
  /** Cache tiers over this pool, and the pool this one is a tier of (-1: none). */
  tiers: readonly number[];
  tierOf: number;
  cacheMode: number;
  /** Pools for reads and writes instead of this one (-1: none). */
  readTier: number;
  writeTier: number;
  /** Bytes of a stripe over all data shards; 0 for replicated pools. */
  stripeWidth: number;
  erasureCodeProfile: string;
  expectedObjects: bigint;
  fastRead: boolean;
  /** The applications of the pool (`rbd`, `rgw`, ...), with the settings of each. */
  applications: ReadonlyMap<string, ReadonlyMap<string, string>>;
  createTime: Utime;
  /** Shards that never become primary; only with PoolFlag.ecOptimizations. */
  nonprimaryShards: readonly number[];
}

export type PoolType = 1 | 3;
export const POOL_REPLICATED = 1;
export const POOL_ERASURE = 3;

export interface PoolSnap {
  id: bigint;
  stamp: Utime;
  name: string;
}

export const PoolFlag = {
  /** The pool id is hashed into the placement of its PGs. */
  hashPsPool: 1 << 0,
  full: 1 << 1,
  ecOverwrites: 1 << 2,
  fullQuota: 1 << 10,
  nearFull: 1 << 11,
  selfManagedSnaps: 1 << 13,
  poolSnaps: 1 << 14,
  creating: 1 << 15,
  /** Every operation is answered with EIO. */
  eio: 1 << 16,
  ecOptimizations: 1 << 19,
} as const;

/**
 * pg_pool_t::encode (src/osd/osd_types.cc). Versions below 5 have no length field. The newest known is 32 (Ceph 20);
 * those of 16 to 19 are 29 and 30.
 */
export function readPool(r: Reader, id: number): Pool {
  return r.versioned("pg_pool_t", 32, (_, version) => readFields(r, id, version), {
    compatSince: 5,
    lengthSince: 5,
  });
}

function readFields(r: Reader, id: number, version: number): Pool {
  if (version < 5) throw r.malformed(`version ${version}, older than Ceph 0.50`);
  const type = r.u8();
  if (type !== POOL_REPLICATED && type !== POOL_ERASURE) throw r.malformed(`a pool of type ${type}`);
  const size = r.u8();
  const crushRule = r.u8();
  const objectHash = r.u8();
  const pgNum = r.u32();
  const pgpNum = r.u32();
  if (pgNum === 0 || pgpNum === 0) throw r.malformed(`${pgNum} PGs, placed as ${pgpNum}`);
  // Two counts of localized PGs, obsolete.
  r.skip(8);
  const lastChange = r.u32();
  const snapSeq = r.u64();
  const snapEpoch = r.u32();
  const snaps = r.map(14, () => r.u64(), readPoolSnap);
  const removedSnaps = r.count(16);
  r.skip(16 * removedSnaps);
  // auid
  r.skip(8);
  let flags = r.u64Number();
  if (snapSeq > 0n && (flags & (PoolFlag.selfManagedSnaps | PoolFlag.poolSnaps)) === 0) {
    flags |= removedSnaps > 0 ? PoolFlag.selfManagedSnaps : PoolFlag.poolSnaps;
  }
  // crash_replay_interval
  r.skip(4);
  const pool: Pool = {
    id,
    type,
    size,
    minSize: size - (size >> 1),
    crushRule,
    objectHash,
    pgNum,
    pgpNum,
    pgNumTarget: pgNum,
    pgpNumTarget: pgpNum,
    pgNumPending: pgNum,
    flags,
    lastChange,
    lastForceResend: 0,
    lastForceResendPrenautilus: 0,
    lastForceResendPreluminous: 0,
    snapSeq,
    snapEpoch,
    snaps,
    quotaMaxBytes: 0n,
    quotaMaxObjects: 0n,
    tiers: [],
    tierOf: -1,
    cacheMode: 0,
    readTier: -1,
    writeTier: -1,
    stripeWidth: 0,
    erasureCodeProfile: "",
    expectedObjects: 0n,
    fastRead: false,
    applications: new Map(),
    createTime: { seconds: 0, nanoseconds: 0 },
    nonprimaryShards: [],
  };
  if (version >= 7) pool.minSize = r.u8();
  if (version >= 8) {
    pool.quotaMaxBytes = r.u64();
    pool.quotaMaxObjects = r.u64();
  }
  if (version >= 9) readTiers(r, pool);
  if (version >= 10) skipStringMap(r);
  if (version >= 11) {
    // Hit set parameters, period and count: of cache tiers.
    r.skipStruct();
    r.skip(8);
  }
  if (version >= 12) pool.stripeWidth = r.u32();
  // Targets of the cache tier agent.
  if (version >= 13) r.skip(8 + 8 + 4 + 4 + 4 + 4);
  if (version >= 14) pool.erasureCodeProfile = r.string();
  if (version >= 15) {
    pool.lastForceResendPreluminous = r.u32();
    pool.lastForceResendPrenautilus = pool.lastForceResendPreluminous;
    pool.lastForceResend = pool.lastForceResendPreluminous;
  }
  // Recencies, ratios and hit set settings, again of cache tiers.
  if (version >= 16) r.skip(4);
  if (version >= 17) pool.expectedObjects = r.u64();
  if (version >= 19) r.skip(4);
  if (version >= 20) r.skip(4);
  if (version >= 21) r.skip(1);
  if (version >= 22) pool.fastRead = r.bool();
  if (version >= 23) r.skip(8);
  if (version >= 24) r.skipStruct();
  if (version >= 25) {
    pool.lastForceResendPrenautilus = r.u32();
    pool.lastForceResend = pool.lastForceResendPrenautilus;
  }
  if (version >= 26) pool.applications = r.map(8, () => r.string(), readStringMap);
  if (version >= 27) pool.createTime = readUtime(r);
  if (version >= 28) {
    pool.pgNumTarget = r.u32();
    pool.pgpNumTarget = r.u32();
    pool.pgNumPending = r.u32();
    r.skip(8);
    pool.lastForceResend = r.u32();
    // Mode of the autoscaler.
    r.skip(1);
  }
  if (version >= 29) r.skipStruct();
  // Placement of a stretched pool's copies: plain fields in version 30, an optional tuple later.
  if (version === 30 || (version >= 31 && r.bool())) r.skip(16);
  if (version >= 32) pool.nonprimaryShards = readShardSet(r);
  return pool;
}

/** u64 id, utime stamp, string name */
function readPoolSnap(r: Reader): PoolSnap {
  return r.versioned(
    "pool_snap_info_t",
    2,
    () => {
      const id = r.u64();
      const stamp = readUtime(r);
      return { id, stamp, name: r.string() };
    },
    { compatSince: 2, lengthSince: 2 },
  );
}

function readTiers(r: Reader, pool: Pool): void {
  pool.tiers = r.list(8, () => r.u64Number());
  pool.tierOf = r.i64Number();
  pool.cacheMode = r.u8();
  pool.readTier = r.i64Number();
  pool.writeTier = r.i64Number();
}

export function readStringMap(r: Reader): Map<string, string> {
  return r.map(
    8,
    () => r.string(),
    () => r.string(),
  );
}

function skipStringMap(r: Reader): void {
  for (let entries = r.count(8); entries > 0; entries--) {
    r.skip(r.u32());
    r.skip(r.u32());
  }
}

/** 128 bits as two varints (shard_id_set, src/common/bitset_set.h). */
function readShardSet(r: Reader): number[] {
  const bits = readVarint(r) | (readVarint(r) << 64n);
  return Array.from({ length: 128 }, (_, shard) => shard).filter((shard) => (bits >> BigInt(shard)) & 1n);
}

/** 64 bits, seven a byte, the lowest first; the top bit says that more follow. */
function readVarint(r: Reader): bigint {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = r.u8();
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return BigInt.asUintN(64, value);
  }
  throw r.malformed("a number of more than 64 bits");
}
