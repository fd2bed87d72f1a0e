import type { EntityAddr, Utime } from "@siphon/wire";
import type { CrushMapper } from "../crush/mapper.ts";
import type { Blocklist } from "./blocklist.ts";
import type { PgTable } from "./pg.ts";
import type { Pool } from "./pool.ts";

/** The parts of an OSD map that clients need. Immutable: an incremental makes a new one. */
export interface OsdMapState {
  readonly fsid: string;
  readonly epoch: number;
  readonly created: Utime;
  readonly modified: Utime;
  readonly pools: ReadonlyMap<number, Pool>;
  readonly poolNames: ReadonlyMap<number, string>;
  /** The highest pool id ever assigned. */
  readonly poolMax: number;
  /** Bits of MapFlag. */
  readonly flags: number;
  /** OSD ids are below this. */
  readonly maxOsd: number;
  readonly osds: OsdTables;
  readonly crush: CrushMapper;
  readonly crushVersion: number;
  readonly erasureCodeProfiles: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly pgs: PgTables;
  /** Snapshots that this epoch removed, by pool: a client drops them from its snap contexts. */
  readonly newRemovedSnaps: ReadonlyMap<number, readonly SnapInterval[]>;
  readonly lastUpChange: Utime;
  readonly lastInChange: Utime;
  readonly blocklist: Blocklist;
  readonly nearFullRatio: number;
  readonly fullRatio: number;
  readonly backfillFullRatio: number;
  /** Ceph's major version, 0 where unknown: 16 Pacific, 17 Quincy, 18 Reef, 19 Squid, 20 Tentacle. */
  readonly requireMinCompatClient: number;
  readonly requireOsdRelease: number;
}

/** By OSD id. */
export interface OsdTables {
  /** Bits of OsdState. */
  readonly state: Uint32Array;
  /** The OSD's reweight: 0x10000 fully in, 0 out. */
  readonly weight: Uint32Array;
  /** Primary affinity: 0x10000 always; undefined: all OSDs always. */
  readonly primaryAffinity: Uint32Array | undefined;
  /** Public addresses. */
  readonly addrs: readonly (readonly EntityAddr[])[];
}

/** Exceptions from CRUSH, by PG. */
export interface PgTables {
  /** Temporary sets of OSDs (pg_temp), and temporary primaries (primary_temp). */
  readonly temp: PgTable<readonly number[]>;
  readonly primaryTemp: PgTable<number>;
  /** Upmaps of whole sets; of pairs from, to; of primaries. */
  readonly upmap: PgTable<readonly number[]>;
  readonly upmapItems: PgTable<readonly number[]>;
  readonly upmapPrimaries: PgTable<number>;
}

export interface SnapInterval {
  start: bigint;
  length: bigint;
}

export const OsdState = {
  exists: 1 << 0,
  up: 1 << 1,
  autoOut: 1 << 2,
  /** Never been up. */
  new: 1 << 3,
  full: 1 << 4,
  nearFull: 1 << 5,
  backfillFull: 1 << 6,
  destroyed: 1 << 7,
  noUp: 1 << 8,
  noDown: 1 << 9,
  noIn: 1 << 10,
  noOut: 1 << 11,
  stop: 1 << 12,
} as const;

/** CEPH_OSDMAP_* in src/include/rados.h. */
export const MapFlag = {
  nearFull: 1 << 0,
  full: 1 << 1,
  pauseReads: 1 << 2,
  pauseWrites: 1 << 3,
  pauseRecovery: 1 << 4,
  noUp: 1 << 5,
  noDown: 1 << 6,
  noOut: 1 << 7,
  noIn: 1 << 8,
  noBackfill: 1 << 9,
  noRecover: 1 << 10,
  noScrub: 1 << 11,
  noDeepScrub: 1 << 12,
  noTierAgent: 1 << 13,
  noRebalance: 1 << 14,
  sortBitwise: 1 << 15,
  recoveryDeletes: 1 << 19,
  purgedSnapdirs: 1 << 20,
  noSnapTrim: 1 << 21,
  pgLogHardLimit: 1 << 22,
} as const;

export const fullWeight = 0x10000;

/** Maximum of max_osd; higher numbers count as damage. Ceph's default limit is 10,000. */
export const mostOsds = 1_000_000;

/** Flags that newer releases no longer write because `requireOsdRelease` implies them. */
export function impliedFlags(flags: number, requireOsdRelease: number): number {
  const requireJewelKrakenLuminous = (1 << 16) | (1 << 17) | (1 << 18);
  let implied = flags;
  if (requireOsdRelease >= 12) implied = (implied & ~requireJewelKrakenLuminous) | MapFlag.recoveryDeletes;
  if (requireOsdRelease >= 14) implied |= MapFlag.pgLogHardLimit;
  return implied;
}
