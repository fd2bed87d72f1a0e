import { crushHash2 } from "@siphon/wire";
import { type CrushRule, ITEM_NONE } from "../crush/map.ts";
import { stableMod } from "./object-hash.ts";
import { POOL_REPLICATED, type Pool, PoolFlag } from "./pool.ts";
import { fullWeight, type OsdMapState, OsdState } from "./state.ts";

/** The OSDs of a PG. In sets of erasure-coded pools ITEM_NONE marks a missing shard. */
export interface PgPlacement {
  /** The up set. */
  readonly up: readonly number[];
  /** -1: none. */
  readonly upPrimary: number;
  /** The acting set. */
  readonly acting: readonly number[];
  /** The acting primary, which takes its operations; -1: none. */
  readonly actingPrimary: number;
  /** The shard of the acting primary, -1 in replicated pools: operations are addressed to PG and shard. */
  readonly primaryShard: number;
}

/** Places a PG (OSDMap::_pg_to_up_acting_osds in src/osd/OSDMap.cc). */
export function placePg(map: OsdMapState, pool: Pool, seed: number): PgPlacement {
  const up = rawOsds(map, pool, seed);
  applyUpmap(map, pool, seed, up);
  dropWhere(pool, up, (osd) => !isUp(map, osd));
  const upPrimary = pickUpPrimary(map, pool, seed, up);

  const temp = [...(map.pgs.temp.get(pool.id, seed) ?? [])];
  dropWhere(pool, temp, (osd) => !isUp(map, osd));
  const shards = temp.length > 0 ? shardsInOrder(pool, temp.length) : undefined;
  const acting = shards === undefined ? (temp.length > 0 ? temp : up) : byShard(temp, shards);
  const tempPrimary = map.pgs.primaryTemp.get(pool.id, seed) ?? firstOsd(temp);
  const actingPrimary = temp.length === 0 && tempPrimary === -1 ? upPrimary : tempPrimary;
  const primaryShard = pool.type === POOL_REPLICATED ? -1 : shardOf(actingPrimary, temp, acting, shards);
  return { up, upPrimary, acting, actingPrimary, primaryShard };
}

/** The input of CRUSH for a PG (pg_pool_t::raw_pg_to_pps). */
function placementSeed(pool: Pool, seed: number): number {
  const folded = stableMod(seed, pool.pgpNum);
  return (pool.flags & PoolFlag.hashPsPool) !== 0 ? crushHash2(folded, pool.id) : (folded + pool.id) >>> 0;
}

let scratch = new Int32Array(16);

function rawOsds(map: OsdMapState, pool: Pool, seed: number): number[] {
  if (scratch.length < pool.size) scratch = new Int32Array(pool.size);
  const { crush, osds } = map;
  const rule = ruleOf(map, pool);
  const x = placementSeed(pool, seed);
  const filled = crush.place(rule, x, pool.size, osds.weight, pool.id, scratch);
  const raw = Array.from(scratch.subarray(0, filled));
  dropWhere(pool, raw, (osd) => !exists(map, osd));
  return raw;
}

/** Before Ceph 17 a rule served only pools of the sizes it names, and was found by its ruleset. */
function ruleOf(map: OsdMapState, pool: Pool): number {
  if (map.requireOsdRelease >= 17) return pool.crushRule;
  return map.crush.map.rules.findIndex((rule) => rule !== undefined && serves(rule, pool));
}

function serves(rule: CrushRule, { crushRule, type, size }: Pool): boolean {
  return (
    rule.ruleset === crushRule && rule.type === type && rule.leastSize <= size && size <= rule.greatestSize
  );
}

/** Applies the upmaps of the balancer or an administrator (OSDMap::_apply_upmap), except to OSDs that are out. */
function applyUpmap(map: OsdMapState, pool: Pool, seed: number, osds: number[]): void {
  const whole = map.pgs.upmap.get(pool.id, seed);
  if (whole !== undefined) {
    if (whole.some((osd) => isOut(map, osd))) return;
    osds.splice(0, osds.length, ...whole);
  }
  const pairs = map.pgs.upmapItems.get(pool.id, seed) ?? [];
  for (let i = 0; i < pairs.length; i += 2) {
    const to = pairs[i + 1]!;
    const at = osds.indexOf(pairs[i]!);
    if (at >= 0 && !osds.includes(to) && !isOut(map, to)) osds[at] = to;
  }
  const primary = map.pgs.upmapPrimaries.get(pool.id, seed);
  if (primary === undefined || primary < 0 || primary >= map.maxOsd || isOut(map, primary)) return;
  const at = osds.indexOf(primary, 1);
  if (at > 0) {
    osds[at] = osds[0]!;
    osds[0] = primary;
  }
}

/** In replicated pools the others move up; in erasure-coded ones the place stays empty. */
function dropWhere(pool: Pool, osds: number[], gone: (osd: number) => boolean): void {
  let kept = 0;
  for (const osd of osds) {
    if (!gone(osd)) osds[kept++] = osd;
    else if (pool.type !== POOL_REPLICATED) osds[kept++] = ITEM_NONE;
  }
  osds.length = kept;
}

function firstOsd(osds: readonly number[]): number {
  return osds.find((osd) => osd !== ITEM_NONE) ?? -1;
}

/**
 * The first OSD that its primary affinity does not reject, moved to the front of a replicated set
 * (OSDMap::_apply_primary_affinity).
 */
function pickUpPrimary(map: OsdMapState, pool: Pool, seed: number, osds: number[]): number {
  const affinity = map.osds.primaryAffinity;
  const isDefault = (osd: number) => osd === ITEM_NONE || affinity?.[osd] === fullWeight;
  if (affinity === undefined || osds.every(isDefault)) return firstOsd(osds);
  const hashed = placementSeed(pool, seed);
  const accepts = (osd: number) =>
    osd !== ITEM_NONE && (affinity[osd]! >= fullWeight || crushHash2(hashed, osd) >>> 16 < affinity[osd]!);
  const accepting = osds.findIndex(accepts);
  const at = accepting >= 0 ? accepting : osds.findIndex((osd) => osd !== ITEM_NONE);
  if (at < 0) return -1;
  const primary = osds[at]!;
  if (pool.type === POOL_REPLICATED && at > 0) {
    osds.splice(at, 1);
    osds.unshift(primary);
  }
  return primary;
}

/**
 * Pools with EC optimizations store a temporary set with the possible primaries first, for clients that do not know the
 * feature (OSDMap::pgtemp_primaryfirst). Returns the shard of each position; undefined if it does not apply.
 */
function shardsInOrder(pool: Pool, places: number): readonly number[] | undefined {
  if ((pool.flags & PoolFlag.ecOptimizations) === 0 || places !== pool.size) return undefined;
  const shards = Array.from({ length: places }, (_, shard) => shard);
  const mayBePrimary = (shard: number) => !pool.nonprimaryShards.includes(shard);
  return [...shards.filter(mayBePrimary), ...shards.filter((shard) => !mayBePrimary(shard))];
}

function byShard(temp: readonly number[], shards: readonly number[]): number[] {
  const acting: number[] = [];
  for (const [place, shard] of shards.entries()) acting[shard] = temp[place]!;
  return acting;
}

/** An OSD may hold several shards: as primary it has the first possible one. */
function shardOf(
  primary: number,
  temp: readonly number[],
  acting: readonly number[],
  shards: readonly number[] | undefined,
): number {
  if (shards === undefined) return acting.indexOf(primary);
  return shards[temp.indexOf(primary)] ?? -1;
}

function exists(map: OsdMapState, osd: number): boolean {
  return ((map.osds.state[osd] ?? 0) & OsdState.exists) !== 0;
}

function isUp(map: OsdMapState, osd: number): boolean {
  const both = OsdState.exists | OsdState.up;
  return ((map.osds.state[osd] ?? 0) & both) === both;
}

function isOut(map: OsdMapState, osd: number): boolean {
  return map.osds.weight[osd] === 0;
}
