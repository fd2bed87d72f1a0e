import type { OsdMap } from "../osdmap/osdmap.ts";
import { POOL_REPLICATED, type Pool } from "../osdmap/pool.ts";
import { requestFlag } from "./op-code.ts";
import type { ObjectTarget } from "./target.ts";

const anyReplica = requestFlag.balanceReads | requestFlag.localizeReads;

/** Selects the OSD of a request: the primary, or a replica for reads that allow it. */
export function pickOsd(
  map: OsdMap,
  pool: Pool,
  { primary, acting }: ObjectTarget,
  flags: number,
  location: CrushLocation,
): number {
  if ((flags & anyReplica) === 0 || (flags & requestFlag.write) !== 0) return primary;
  if (pool.type !== POOL_REPLICATED || acting.length < 2) return primary;
  if ((flags & requestFlag.balanceReads) !== 0) return acting[Math.floor(Math.random() * acting.length)]!;
  return nearest(map, acting, location);
}

/** The client's CRUSH location, by bucket type: `host` to `node1` (crush_location). */
export type CrushLocation = ReadonlyMap<string, string>;

/** `host=node1 rack=r3` */
export function parseCrushLocation(text: string): CrushLocation {
  const pairs = text.split(/[\s,;]+/).filter((pair) => pair.includes("="));
  return new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
}

/** The OSD with the smallest common bucket; the primary if there is none. */
function nearest(map: OsdMap, osds: readonly number[], location: CrushLocation): number {
  let best = osds[0]!;
  let bestType = Number.POSITIVE_INFINITY;
  for (const osd of osds) {
    const type = commonBucketType(map, osd, location);
    if (type < bestType) {
      best = osd;
      bestType = type;
    }
  }
  return best;
}

/** The lowest type of a bucket with both the OSD and the client; higher types are larger. */
function commonBucketType(map: OsdMap, osd: number, location: CrushLocation): number {
  const { buckets, names } = map.state.crush.map;
  let lowest = Number.POSITIVE_INFINITY;
  let inside = [osd];
  while (inside.length > 0) {
    const parents = buckets.filter((bucket) => bucket?.items.some((item) => inside.includes(item)));
    for (const parent of parents) {
      const type = names.types.get(parent!.type);
      const isOurs = type !== undefined && location.get(type) === names.items.get(parent!.id);
      if (isOurs) lowest = Math.min(lowest, parent!.type);
    }
    inside = parents.map((parent) => parent!.id);
  }
  return lowest;
}
