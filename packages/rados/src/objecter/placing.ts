import { osdOpTemplate, placeTemplate } from "../messages/osd-op.ts";
import { objectHash, stableMod } from "../osdmap/object-hash.ts";
import type { OsdMap } from "../osdmap/osdmap.ts";
import type { Pool } from "../osdmap/pool.ts";
import type { Dispatch } from "./dispatch.ts";
import { ObjectTarget } from "./target.ts";

/** Updates a target to the map. */
export function placeTarget(map: OsdMap, pool: Pool, target: ObjectTarget): void {
  if (target.epoch === map.epoch) return;
  if (target.template === undefined) {
    target.hash = target.fixedHash ?? objectHash(pool, target.name, target);
    target.template = osdOpTemplate(target);
  }
  const placement = map.place(pool, stableMod(target.hash, pool.pgNum));
  target.pgNum = pool.pgNum;
  target.pgSeed = stableMod(target.hash, pool.pgNum);
  target.primary = placement.actingPrimary;
  target.shard = placement.primaryShard;
  target.acting = placement.acting;
  target.epoch = map.epoch;
  placeTemplate(target.template, target.pgSeed, target.shard, map.epoch);
}

/** The same object in another pool. */
export function overlayOf(target: ObjectTarget, poolId: number): ObjectTarget {
  if (target.overlay?.poolId !== poolId) {
    target.overlay = new ObjectTarget(poolId, target.name, target, target.fixedHash);
  }
  return target.overlay;
}

/**
 * Whether a request that was sent by the map of `dispatch.epoch` must be resent by the map that placed `target`,
 * because the OSD has dropped or will drop it (Objecter::_calc_target in src/osdc/Objecter.cc). A new interval under
 * the same primary does not matter, unless the request went to a replica.
 */
export function isSentElsewhere(dispatch: Dispatch, target: ObjectTarget, pool: Pool): boolean {
  return (
    dispatch.primary !== target.primary ||
    dispatch.shard !== target.shard ||
    dispatch.pgSeed !== target.pgSeed ||
    pool.lastForceResend > dispatch.epoch ||
    (dispatch.pgNum !== target.pgNum && splitsOrMerges(dispatch.pgSeed, dispatch.pgNum, target.pgNum)) ||
    (dispatch.osd !== dispatch.primary && !sameOsds(dispatch.acting, target.acting))
  );
}

/** Whether a change of the number of PGs splits or merges a PG. */
export function splitsOrMerges(seed: number, from: number, to: number): boolean {
  if (from > to) return seed >= to || gains(seed, to, from);
  return gains(seed, from, to);
}

/** Whether one of `more` PGs is merged into this one of `fewer`. */
function gains(seed: number, fewer: number, more: number): boolean {
  // PGs that merge into it have the same lower bits.
  const step = 2 ** Math.max(0, 31 - Math.clz32(fewer - 1));
  for (let other = seed % step; other < more; other += step) {
    if (other >= fewer && stableMod(other, fewer) === seed) return true;
  }
  return false;
}

function sameOsds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((osd, i) => osd === b[i]);
}
