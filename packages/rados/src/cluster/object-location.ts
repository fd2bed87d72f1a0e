import { RadosError } from "../errors.ts";
import { type ObjectLocator, objectHash } from "../osdmap/object-hash.ts";
import type { OsdMap } from "../osdmap/osdmap.ts";
import { formatPgId } from "../osdmap/pg.ts";

/** Location of an object; OSDs by number, -1 for none. */
export interface ObjectLocation {
  epoch: number;
  pool: string;
  poolId: number;
  object: string;
  /** Hash of the object's name, before it is folded into the number of PGs. */
  hash: number;
  /** `1.6`. */
  pg: string;
  up: readonly number[];
  upPrimary: number;
  acting: readonly number[];
  actingPrimary: number;
}

/**
 * Locates an object in the map.
 *
 * @throws RadosError ENOENT if there is no such pool
 */
export function locateObject(
  map: OsdMap,
  poolName: string,
  object: string,
  locator: ObjectLocator,
): ObjectLocation {
  const pool = map.poolByName(poolName);
  if (pool === undefined) throw new RadosError("ENOENT", `there is no pool ${poolName}`);
  const pg = map.pgOf(pool, object, locator);
  const { up, upPrimary, acting, actingPrimary } = map.place(pool, pg.seed);
  return {
    ...{ epoch: map.epoch, pool: poolName, poolId: pool.id, object },
    ...{ hash: objectHash(pool, object, locator), pg: formatPgId(pg) },
    ...{ up, upPrimary, acting, actingPrimary },
  };
}
