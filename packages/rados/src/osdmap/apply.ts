import type { EntityAddr, Utime } from "@siphon/wire";
import { decodeCrushMap } from "../crush/decode.ts";
import { CrushMapper } from "../crush/mapper.ts";
import { RadosError } from "../errors.ts";
import { decodeOsdMap } from "./decode.ts";
import type { Incremental } from "./incremental.ts";
import type { PgTable } from "./pg.ts";
import { fullWeight, impliedFlags, mostOsds, type OsdMapState, OsdState, type OsdTables } from "./state.ts";

/**
 * The map of the next epoch (OSDMap::apply_incremental in src/osd/OSDMap.cc). Unchanged parts are shared with the old
 * map, which is not modified.
 */
export function applyIncremental(map: OsdMapState, inc: Incremental): OsdMapState {
  if (inc.epoch !== map.epoch + 1) {
    throw unfit(inc, `it does not follow epoch ${map.epoch}`);
  }
  if (inc.fsid !== map.fsid) {
    throw unfit(inc, `it belongs to cluster ${inc.fsid}, the map to ${map.fsid}`);
  }
  if (inc.fullMap.length > 0) return decodeOsdMap(inc.fullMap);

  const maxOsd = inc.newMaxOsd >= 0 ? inc.newMaxOsd : map.maxOsd;
  if (maxOsd > mostOsds) throw unfit(inc, `its max_osd is ${maxOsd}`);
  const requireOsdRelease =
    inc.newRequireOsdRelease === unchangedRelease ? map.requireOsdRelease : inc.newRequireOsdRelease;
  const flags = inc.newFlags >= 0 ? inc.newFlags : map.flags;
  return {
    fsid: map.fsid,
    epoch: inc.epoch,
    created: map.created,
    modified: inc.modified,
    pools: withPools(map, inc),
    poolNames: changed(map.poolNames, inc.newPoolNames, inc.oldPools),
    poolMax: inc.newPoolMax === -1 ? map.poolMax : inc.newPoolMax,
    flags: impliedFlags(flags, inc.newRequireOsdRelease === unchangedRelease ? 0 : requireOsdRelease),
    maxOsd,
    osds: withOsds(map, inc, maxOsd),
    crush: inc.crush.length > 0 ? new CrushMapper(decodeCrushMap(inc.crush)) : map.crush,
    crushVersion: map.crushVersion + (inc.crush.length > 0 && requireOsdRelease >= 12 ? 1 : 0),
    erasureCodeProfiles: changed(map.erasureCodeProfiles, inc.newProfiles, inc.oldProfiles),
    pgs: {
      temp: withTemps(map.pgs.temp, inc.newPgTemp, (osds) => osds.length === 0),
      primaryTemp: withTemps(map.pgs.primaryTemp, inc.newPrimaryTemp, (osd) => osd === -1),
      upmap: map.pgs.upmap.with(inc.newPgUpmap, inc.oldPgUpmap),
      upmapItems: map.pgs.upmapItems.with(inc.newPgUpmapItems, inc.oldPgUpmapItems),
      upmapPrimaries: map.pgs.upmapPrimaries.with(inc.newPgUpmapPrimaries, inc.oldPgUpmapPrimaries),
    },
    newRemovedSnaps: inc.newRemovedSnaps,
    lastUpChange: orElse(inc.newLastUpChange, map.lastUpChange),
    lastInChange: orElse(inc.newLastInChange, map.lastInChange),
    blocklist: map.blocklist.with(
      inc.newBlocklist,
      inc.oldBlocklist,
      inc.newBlockedRanges,
      inc.oldBlockedRanges,
    ),
    nearFullRatio: inc.newNearFullRatio >= 0 ? inc.newNearFullRatio : map.nearFullRatio,
    fullRatio: inc.newFullRatio >= 0 ? inc.newFullRatio : map.fullRatio,
    backfillFullRatio: inc.newBackfillFullRatio >= 0 ? inc.newBackfillFullRatio : map.backfillFullRatio,
    requireMinCompatClient: [0, unchangedRelease].includes(inc.newRequireMinCompatClient)
      ? map.requireMinCompatClient
      : inc.newRequireMinCompatClient,
    requireOsdRelease,
  };
}

/** In place of a release in an incremental. */
const unchangedRelease = 0xff;

function unfit(inc: Incremental, why: string): RadosError {
  return new RadosError("SIPHON_RADOS_PROTOCOL", `cannot apply the incremental OSD map ${inc.epoch}: ${why}`);
}

function withPools(map: OsdMapState, inc: Incremental): OsdMapState["pools"] {
  const pools = [...inc.newPools].map(([id, pool]) => [id, { ...pool, lastChange: inc.epoch }] as const);
  return changed(map.pools, new Map(pools), inc.oldPools);
}

function changed<K, V>(
  map: ReadonlyMap<K, V>,
  set: ReadonlyMap<K, V>,
  removed: readonly K[],
): ReadonlyMap<K, V> {
  if (set.size === 0 && removed.length === 0) return map;
  const copy = new Map([...map, ...set]);
  for (const key of removed) copy.delete(key);
  return copy;
}

function withTemps<V>(
  table: PgTable<V>,
  entries: Incremental["newPgTemp"] | Incremental["newPrimaryTemp"],
  ends: (value: V) => boolean,
): PgTable<V> {
  const typed = entries as [{ pool: number; seed: number }, V][];
  return table.with(
    typed.filter(([, value]) => !ends(value)),
    typed.filter(([, value]) => ends(value)).map(([pg]) => pg),
  );
}

function orElse(time: Utime, otherwise: Utime): Utime {
  return time.seconds === 0 && time.nanoseconds === 0 ? otherwise : time;
}

/** In the order of apply_incremental: weights, affinities, states, and who came up. */
function withOsds(map: OsdMapState, inc: Incremental, maxOsd: number): OsdTables {
  const { newWeight, newPrimaryAffinity, newState, newUpClient } = inc;
  const untouched = [newWeight, newPrimaryAffinity, newState, newUpClient].every(({ size }) => size === 0);
  if (untouched && maxOsd === map.maxOsd) return map.osds;
  for (const osd of [newWeight, newPrimaryAffinity, newState, newUpClient].flatMap((m) => [...m.keys()])) {
    if (osd < 0 || osd >= maxOsd) throw unfit(inc, `it names osd.${osd}, but max_osd is ${maxOsd}`);
  }

  const state = resized(map.osds.state, maxOsd);
  const weight = resized(map.osds.weight, maxOsd);
  const addrs: (readonly EntityAddr[])[] = Array.from({ length: maxOsd }, (_, i) => map.osds.addrs[i] ?? []);
  let affinity = map.osds.primaryAffinity && resized(map.osds.primaryAffinity, maxOsd, fullWeight);
  for (const [osd, value] of newWeight) {
    weight[osd] = value;
    if (value !== 0) state[osd] = (state[osd]! | OsdState.exists) & ~(OsdState.autoOut | OsdState.new);
  }
  for (const [osd, value] of newPrimaryAffinity) {
    affinity ??= new Uint32Array(maxOsd).fill(fullWeight);
    affinity[osd] = value;
  }
  for (const [osd, value] of newState) {
    const flipped = value || OsdState.up;
    if ((state[osd]! & flipped & OsdState.exists) === 0) {
      state[osd] = state[osd]! ^ flipped;
      continue;
    }
    state[osd] = 0;
    addrs[osd] = [];
    if (affinity !== undefined) affinity[osd] = fullWeight;
  }
  for (const [osd, value] of newUpClient) {
    state[osd] = (state[osd]! | OsdState.exists | OsdState.up) & ~OsdState.stop;
    addrs[osd] = value;
  }
  return { state, weight, addrs, primaryAffinity: affinity };
}

function resized(values: Uint32Array, length: number, filler = 0): Uint32Array {
  const copy = new Uint32Array(length).fill(filler);
  copy.set(values.subarray(0, length));
  return copy;
}
