import {
  type EntityAddr,
  type Reader,
  readEntityAddr,
  readEntityAddrVec,
  readUtime,
  readUuid,
  skipEntityAddrVec,
  type Utime,
} from "@siphon/wire";
import { type BlocklistEntry, readBlocklistEntries } from "./blocklist.ts";
import { openEnvelope } from "./checksum.ts";
import {
  readPgLists,
  readPgNumbers,
  readPgPairs,
  readPoolNames,
  readPools,
  readProfiles,
  readSnapIntervals,
} from "./decode.ts";
import { type PgId, pgIdBytes, readPgId } from "./pg.ts";
import type { Pool } from "./pool.ts";
import type { SnapInterval } from "./state.ts";

/** The changes from one epoch to the next (OSDMap::Incremental in src/osd/OSDMap.h). */
export interface Incremental {
  fsid: string;
  /** The resulting epoch. */
  epoch: number;
  modified: Utime;
  /** An encoded full map that replaces everything; usually empty. */
  fullMap: Buffer;
  /** An encoded CRUSH map; empty: unchanged. */
  crush: Buffer;
  /** Negative: unchanged. */
  newPoolMax: number;
  newFlags: number;
  newMaxOsd: number;
  newPools: Map<number, Pool>;
  newPoolNames: Map<number, string>;
  oldPools: number[];
  /** OSDs that came up, with their addresses. */
  newUpClient: Map<number, EntityAddr[]>;
  /** Bits to flip in the states of OSDs; 0 stands for "up". */
  newState: Map<number, number>;
  newWeight: Map<number, number>;
  newPrimaryAffinity: Map<number, number>;
  /** An empty list, and -1 as primary, end an exception. */
  newPgTemp: [PgId, number[]][];
  newPrimaryTemp: [PgId, number][];
  newProfiles: Map<string, Map<string, string>>;
  oldProfiles: string[];
  newPgUpmap: [PgId, number[]][];
  oldPgUpmap: PgId[];
  newPgUpmapItems: [PgId, number[]][];
  oldPgUpmapItems: PgId[];
  newPgUpmapPrimaries: [PgId, number][];
  oldPgUpmapPrimaries: PgId[];
  newRemovedSnaps: Map<number, SnapInterval[]>;
  /** Zero: unchanged. */
  newLastUpChange: Utime;
  newLastInChange: Utime;
  newBlocklist: BlocklistEntry[];
  oldBlocklist: EntityAddr[];
  newBlockedRanges: BlocklistEntry[];
  oldBlockedRanges: EntityAddr[];
  newNearFullRatio: number;
  newFullRatio: number;
  newBackfillFullRatio: number;
  /** 255 (and 0, for clients): unchanged. */
  newRequireMinCompatClient: number;
  newRequireOsdRelease: number;
}

/**
 * An incremental as OSDMap::Incremental::encode writes it (src/osd/OSDMap.cc), after its checksum was verified.
 *
 *     client data  fsid, u32 epoch, utime modified, i64 pool max, i32 flags, full map blob, CRUSH blob,
 *                  i32 max OSD, pools, pool names, old pools, up addresses, states, weights, pg_temp,
 *                  primary_temp, affinities, EC profiles and old ones [4] upmaps and old ones, upmap
 *                  items and old ones [6] removed and purged snaps [8] utime last up, last in change
 *                  [9] upmap primaries and old ones
 *     OSD data     heartbeat addresses, up_thru, clean intervals, lost, blocklist and old entries, cluster
 *                  addresses, snapshot name, uuids, extended info, heartbeat addresses [2] u64 features
 *                  [3] f32 nearfull, full [4] f32 backfillfull [6] u8 least client, u8 OSD release [8]
 *                  node flags [9] class flags [10] stretch mode [11] blocked ranges and old ones
 *     after the crc  u32 checksum of the full map that results
 */
export function decodeIncremental(bytes: Uint8Array): Incremental {
  const { client, osd } = openEnvelope(bytes, "incremental OSD map");
  return {
    ...client.versioned("incremental OSD map", 9, (r, version) => readClientPart(r, version)),
    ...osd.versioned("incremental OSD map", 12, (r, version) => readOsdPart(r, version)),
  };
}

type OsdPart = Pick<
  Incremental,
  | "newBlocklist"
  | "oldBlocklist"
  | "newBlockedRanges"
  | "oldBlockedRanges"
  | "newNearFullRatio"
  | "newFullRatio"
  | "newBackfillFullRatio"
  | "newRequireMinCompatClient"
  | "newRequireOsdRelease"
>;

function readClientPart(r: Reader, version: number): Omit<Incremental, keyof OsdPart> {
  const fsid = readUuid(r);
  const epoch = r.u32();
  const modified = readUtime(r);
  const newPoolMax = r.i64Number();
  const newFlags = r.i32();
  const fullMap = r.blob();
  const crush = r.blob();
  const newMaxOsd = r.i32();
  const newPools = readPools(r);
  const newPoolNames = readPoolNames(r);
  const oldPools = r.list(8, () => r.i64Number());
  const newUpClient = r.map(9, () => r.i32(), readEntityAddrVec);
  const newState = version >= 5 ? readNumbers(r) : readBytes(r);
  const newWeight = readNumbers(r);
  const newPgTemp = readPgLists(r);
  const newPrimaryTemp = readPgNumbers(r);
  const newPrimaryAffinity = version >= 2 ? readNumbers(r) : new Map<number, number>();
  const newProfiles = version >= 3 ? readProfiles(r) : new Map<string, Map<string, string>>();
  const oldProfiles = version >= 3 ? r.list(4, () => r.string()) : [];
  const newPgUpmap = version >= 4 ? readPgLists(r) : [];
  const oldPgUpmap = version >= 4 ? readPgs(r) : [];
  const newPgUpmapItems = version >= 4 ? readPgPairs(r) : [];
  const oldPgUpmapItems = version >= 4 ? readPgs(r) : [];
  const newRemovedSnaps = version >= 6 ? readSnapIntervals(r) : new Map<number, SnapInterval[]>();
  if (version >= 6) readSnapIntervals(r);
  const newLastUpChange = version >= 8 ? readUtime(r) : unchanged;
  const newLastInChange = version >= 8 ? readUtime(r) : unchanged;
  const newPgUpmapPrimaries = version >= 9 ? readPgNumbers(r) : [];
  const oldPgUpmapPrimaries = version >= 9 ? readPgs(r) : [];
  return {
    fsid,
    epoch,
    modified,
    fullMap,
    crush,
    newPoolMax,
    newFlags,
    newMaxOsd,
    newPools,
    newPoolNames,
    oldPools,
    newUpClient,
    newState,
    newWeight,
    newPrimaryAffinity,
    newPgTemp,
    newPrimaryTemp,
    newProfiles,
    oldProfiles,
    newPgUpmap,
    oldPgUpmap,
    newPgUpmapItems,
    oldPgUpmapItems,
    newPgUpmapPrimaries,
    oldPgUpmapPrimaries,
    newRemovedSnaps,
    newLastUpChange,
    newLastInChange,
  };
}

const unchanged: Utime = { seconds: 0, nanoseconds: 0 };

function readOsdPart(r: Reader, version: number): OsdPart {
  skipAddrVecMap(r);
  // Epochs of OSDs: seen up, begin and end of the last clean interval, lost.
  r.skip(8 * r.count(8));
  r.skip(12 * r.count(12));
  r.skip(8 * r.count(8));
  const newBlocklist = readBlocklistEntries(r);
  const oldBlocklist = r.list(19, readEntityAddr);
  skipAddrVecMap(r);
  r.skip(r.u32());
  r.skip(20 * r.count(20));
  for (let infos = r.count(10); infos > 0; infos--) {
    r.skip(4);
    r.skipStruct();
  }
  skipAddrVecMap(r);
  if (version >= 2) r.skip(8);
  const newNearFullRatio = version >= 3 ? r.f32() : -1;
  const newFullRatio = version >= 3 ? r.f32() : -1;
  const newBackfillFullRatio = version >= 4 ? r.f32() : -1;
  if (version === 5) r.skip(r.u32());
  const newRequireMinCompatClient = version >= 6 ? r.u8() : 0xff;
  const newRequireOsdRelease = version >= 6 ? r.u8() : 0xff;
  let newBlockedRanges: BlocklistEntry[] = [];
  let oldBlockedRanges: EntityAddr[] = [];
  if (version >= 11) {
    // Flags of CRUSH nodes and device classes; the stretch mode.
    r.skip(8 * r.count(8));
    r.skip(8 * r.count(8));
    r.skip(1 + 4 + 4 + 4 + 4 + 1);
    newBlockedRanges = readBlocklistEntries(r);
    oldBlockedRanges = r.list(19, readEntityAddr);
  }
  return {
    newBlocklist,
    oldBlocklist,
    newBlockedRanges,
    oldBlockedRanges,
    newNearFullRatio,
    newFullRatio,
    newBackfillFullRatio,
    newRequireMinCompatClient,
    newRequireOsdRelease,
  };
}

function readPgs(r: Reader): PgId[] {
  return r.list(pgIdBytes, readPgId);
}

/** i32 -> u32 */
function readNumbers(r: Reader): Map<number, number> {
  return r.map(
    8,
    () => r.i32(),
    () => r.u32(),
  );
}

/** i32 -> u8 */
function readBytes(r: Reader): Map<number, number> {
  return r.map(
    5,
    () => r.i32(),
    () => r.u8(),
  );
}

function skipAddrVecMap(r: Reader): void {
  for (let entries = r.count(9); entries > 0; entries--) {
    r.skip(4);
    skipEntityAddrVec(r);
  }
}
