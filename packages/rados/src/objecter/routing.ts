import type { OsdMap } from "../osdmap/osdmap.ts";
import type { Pool } from "../osdmap/pool.ts";
import { holdsSomethingBack, isHeldBack } from "./gates.ts";
import { requestFlag } from "./op-code.ts";
import { isSentElsewhere, overlayOf, placeTarget } from "./placing.ts";
import { type CrushLocation, pickOsd } from "./replica.ts";
import type { ObjectRequest } from "./request.ts";
import type { ObjectTarget } from "./target.ts";

/** The OSD of a request, and whether it may be sent now, by the newest map. */
export class Routing {
  readonly #location: CrushLocation;
  #map: OsdMap;
  #holdsBack: boolean;

  constructor(map: OsdMap, location: CrushLocation) {
    this.#location = location;
    this.#map = map;
    this.#holdsBack = holdsSomethingBack(map);
  }

  get map(): OsdMap {
    return this.#map;
  }

  set map(map: OsdMap) {
    this.#map = map;
    this.#holdsBack = holdsSomethingBack(map);
  }

  /** The object in the serving pool; undefined if that pool does not exist. */
  placeOf({ dispatch, target }: ObjectRequest): ObjectTarget | undefined {
    const place = dispatch.redirected ?? target;
    const pool = this.#map.pool(place.poolId);
    if (pool === undefined || (dispatch.flags & requestFlag.ignoreOverlay) !== 0) return pool && place;
    const tier = (dispatch.flags & requestFlag.write) !== 0 ? pool.writeTier : pool.readTier;
    if (tier < 0) return place;
    return this.#map.pool(tier) && overlayOf(place, tier);
  }

  /** Addresses a request to its OSD; -1 for none. */
  address({ dispatch }: ObjectRequest, place: ObjectTarget): Pool {
    const pool = this.#map.pool(place.poolId)!;
    placeTarget(this.#map, pool, place);
    dispatch.address(place, pickOsd(this.#map, pool, place, dispatch.flags, this.#location));
    dispatch.paused = this.#isPaused(pool, dispatch.flags);
    return pool;
  }

  /** Addresses a request again to its current OSD, because the map may be newer. */
  addressAnew({ dispatch }: ObjectRequest, osd: number): void {
    const { place } = dispatch;
    placeTarget(this.#map, this.#map.pool(place.poolId)!, place);
    dispatch.address(place, osd);
  }

  /** Whether a new map requires a request to be resent. */
  moves(request: ObjectRequest): boolean {
    const { dispatch } = request;
    const place = this.placeOf(request);
    if (place === undefined || place !== dispatch.place) return true;
    const pool = this.#map.pool(place.poolId)!;
    placeTarget(this.#map, pool, place);
    const wasPaused = dispatch.paused;
    dispatch.paused = this.#isPaused(pool, dispatch.flags);
    return (wasPaused && !dispatch.paused) || isSentElsewhere(dispatch, place, pool);
  }

  #isPaused(pool: Pool, flags: number): boolean {
    return this.#holdsBack && isHeldBack(this.#map, pool, flags);
  }
}
