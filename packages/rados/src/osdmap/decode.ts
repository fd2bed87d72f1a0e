import {
  type Reader,
  readEntityAddrVec,
  readUtime,
  readUuid,
  skipEntityAddrVec,
  type Utime,
} from "@siphon/wire";
import { decodeCrushMap } from "../crush/decode.ts";
import { CrushMapper } from "../crush/mapper.ts";
import { Blocklist, type BlocklistEntry, readBlocklistEntries } from "./blocklist.ts";
import { openEnvelope } from "./checksum.ts";
import { type PgId, PgTable, pgIdBytes, readPgId } from "./pg.ts";
import { type Pool, readPool, readStringMap } from "./pool.ts";
import { impliedFlags, mostOsds, type OsdMapState, type SnapInterval } from "./state.ts";

/**
 * A full OSD map as OSDMap::encode writes it (src/osd/OSDMap.cc), after its checksum was verified.
 *
 *     client data  fsid, u32 epoch, utime created, modified, pools, pool names, i32 pool max, u32 flags,
 *                  i32 max OSD, states, weights, addresses, pg_temp, primary_temp, affinities, CRUSH blob,
 *                  [3] EC profiles [4] upmap, upmap items [6] u32 CRUSH version [7] removed and purged
 *                  snaps [9] utime last up, last in change [10] upmap primaries
 *     OSD data     heartbeat addresses, OSD info, blocklist, cluster addresses, snapshot epoch and name,
 *                  uuids, extended info, heartbeat addresses [2] f32 nearfull, full [3] f32 backfillfull
 *                  [5] u8 least client, u8 OSD release [6] removed snaps [8] node flags [9] class flags
 *                  [10] stretch mode [11] blocked ranges
 */
export function decodeOsdMap(bytes: Uint8Array): OsdMapState {
  const { client, osd } = openEnvelope(bytes, "OSD map");
  const clientPart = client.versioned("OSD map", 10, (r, version) => readClientPart(r, version));
  const osdPart = osd.versioned("OSD map", 12, (r, version) => readOsdPart(r, version));
  return {
    ...clientPart,
    ...osdPart,
    flags: impliedFlags(clientPart.flags, osdPart.requireOsdRelease),
  };
}

type OsdPart = Pick<
  OsdMapState,
  | "blocklist"
  | "nearFullRatio"
  | "fullRatio"
  | "backfillFullRatio"
  | "requireMinCompatClient"
  | "requireOsdRelease"
>;

function readClientPart(r: Reader, version: number): Omit<OsdMapState, keyof OsdPart> {
  const fsid = readUuid(r);
  const epoch = r.u32();
  const created = readUtime(r);
  const modified = readUtime(r);
  const pools = readPools(r);
  const poolNames = readPoolNames(r);
  const poolMax = r.i32();
  const flags = r.u32();
  const maxOsd = r.i32();
  if (maxOsd < 0 || maxOsd > mostOsds) throw r.malformed(`${maxOsd} OSDs`);
  const state = version >= 5 ? readU32s(r) : Uint32Array.from(r.blob());
  const weight = readU32s(r);
  const addrs = r.list(5, readEntityAddrVec);
  if (state.length !== maxOsd || weight.length !== maxOsd || addrs.length !== maxOsd) {
    throw r.malformed(
      `${maxOsd} OSDs with ${state.length} states, ${weight.length} weights, ${addrs.length} addresses`,
    );
  }
  const temp = PgTable.from(readPgLists(r));
  const primaryTemp = PgTable.from(readPgNumbers(r));
  const affinity = version >= 2 ? readU32s(r) : new Uint32Array(0);
  if (affinity.length !== 0 && affinity.length !== maxOsd) {
    throw r.malformed(`${affinity.length} primary affinities for ${maxOsd} OSDs`);
  }
  const crush = new CrushMapper(decodeCrushMap(r.blob()));
  const erasureCodeProfiles = version >= 3 ? readProfiles(r) : new Map<string, Map<string, string>>();
  const upmap = PgTable.from(version >= 4 ? readPgLists(r) : []);
  const upmapItems = PgTable.from(version >= 4 ? readPgPairs(r) : []);
  const crushVersion = version >= 6 ? r.u32() : 0;
  const newRemovedSnaps = version >= 7 ? readSnapIntervals(r) : new Map<number, SnapInterval[]>();
  if (version >= 7) readSnapIntervals(r);
  const lastUpChange = version >= 9 ? readUtime(r) : never;
  const lastInChange = version >= 9 ? readUtime(r) : never;
  const upmapPrimaries = PgTable.from(version >= 10 ? readPgNumbers(r) : []);
  return {
    fsid,
    epoch,
    created,
    modified,
    pools,
    poolNames,
    poolMax,
    flags,
    maxOsd,
    osds: { state, weight, addrs, primaryAffinity: affinity.length === 0 ? undefined : affinity },
    crush,
    crushVersion,
    erasureCodeProfiles,
    pgs: { temp, primaryTemp, upmap, upmapItems, upmapPrimaries },
    newRemovedSnaps,
    lastUpChange,
    lastInChange,
  };
}

const never: Utime = { seconds: 0, nanoseconds: 0 };

function readOsdPart(r: Reader, version: number): OsdPart {
  skipAddrVecs(r);
  // osd_info_t: u8 1 and six epochs.
  r.skip(25 * r.count(25));
  const blocked = readBlocklistEntries(r);
  skipAddrVecs(r);
  r.skip(4);
  r.skip(r.u32());
  r.skip(16 * r.count(16));
  for (let infos = r.count(6); infos > 0; infos--) r.skipStruct();
  skipAddrVecs(r);
  const nearFullRatio = version >= 2 ? r.f32() : 0;
  const fullRatio = version >= 2 ? r.f32() : 0;
  const backfillFullRatio = version >= 3 ? r.f32() : 0;
  if (version === 4) r.skip(r.u32());
  const requireMinCompatClient = version >= 5 ? r.u8() : 0;
  const requireOsdRelease = version >= 5 ? r.u8() : 0;
  let ranges: BlocklistEntry[] = [];
  if (version >= 11) {
    // Snapshots still to be removed; flags of CRUSH nodes and device classes; the stretch mode.
    readSnapIntervals(r);
    r.skip(8 * r.count(8));
    r.skip(8 * r.count(8));
    r.skip(1 + 4 + 4 + 4 + 4);
    ranges = readBlocklistEntries(r);
  }
  return {
    blocklist: new Blocklist(blocked, ranges),
    nearFullRatio,
    fullRatio,
    backfillFullRatio,
    requireMinCompatClient,
    requireOsdRelease,
  };
}

export function readPools(r: Reader): Map<number, Pool> {
  const pools = new Map<number, Pool>();
  for (let left = r.count(8 + 6); left > 0; left--) {
    const id = r.i64Number();
    pools.set(id, readPool(r, id));
  }
  return pools;
}

export function readPoolNames(r: Reader): Map<number, string> {
  return r.map(
    12,
    () => r.i64Number(),
    () => r.string(),
  );
}

export function readProfiles(r: Reader): Map<string, Map<string, string>> {
  return r.map(8, () => r.string(), readStringMap);
}

/** PG -> list of i32 */
export function readPgLists(r: Reader): [PgId, number[]][] {
  return r.list(pgIdBytes + 4, () => [readPgId(r), r.list(4, () => r.i32())]);
}

/** PG -> list of two i32, the two after each other */
export function readPgPairs(r: Reader): [PgId, number[]][] {
  return r.list(pgIdBytes + 4, () => {
    const pg = readPgId(r);
    const pairs: number[] = [];
    for (let left = r.count(8); left > 0; left--) pairs.push(r.i32(), r.i32());
    return [pg, pairs];
  });
}

/** PG -> i32 */
export function readPgNumbers(r: Reader): [PgId, number][] {
  return r.list(pgIdBytes + 4, () => [readPgId(r), r.i32()]);
}

/** Pool -> list of u64 start, u64 length */
export function readSnapIntervals(r: Reader): Map<number, SnapInterval[]> {
  return r.map(
    12,
    () => r.i64Number(),
    () => r.list(16, () => ({ start: r.u64(), length: r.u64() })),
  );
}

function skipAddrVecs(r: Reader): void {
  for (let left = r.count(5); left > 0; left--) skipEntityAddrVec(r);
}

function readU32s(r: Reader): Uint32Array {
  const values = new Uint32Array(r.count(4));
  for (let i = 0; i < values.length; i++) values[i] = r.u32();
  return values;
}
