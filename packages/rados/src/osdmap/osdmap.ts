import type { EntityAddr } from "@siphon/wire";
import { RadosError } from "../errors.ts";
import { applyIncremental } from "./apply.ts";
import { decodeOsdMap } from "./decode.ts";
import { decodeIncremental, type Incremental } from "./incremental.ts";
import { type ObjectLocator, objectHash, stableMod } from "./object-hash.ts";
import type { PgId } from "./pg.ts";
import { type PgPlacement, placePg } from "./placement.ts";
import { type Pool, PoolFlag } from "./pool.ts";
import { MapFlag, type OsdMapState, OsdState } from "./state.ts";

/**
 * The map of one epoch: pools, OSDs, and the placement of objects. It is immutable, so computed values stay valid for
 * its epoch; it caches placements.
 */
export class OsdMap {
  /** @internal */
  readonly state: OsdMapState;
  readonly #poolIds: ReadonlyMap<string, number>;
  readonly #placements = new Map<number, Map<number, PgPlacement>>();

  /** @internal */
  constructor(state: OsdMapState) {
    this.state = state;
    this.#poolIds = new Map([...state.poolNames].map(([id, name]) => [name, id]));
  }

  /** @throws WireError for bytes that are not a full map, are damaged, or are from a newer, incompatible release */
  static decode(bytes: Uint8Array): OsdMap {
    return new OsdMap(decodeOsdMap(bytes));
  }

  /**
   * The map of the next epoch.
   *
   * @internal
   */
  apply(incremental: Incremental): OsdMap {
    return new OsdMap(applyIncremental(this.state, incremental));
  }

  get epoch(): number {
    return this.state.epoch;
  }

  /** The oldest allowed release of clients; 0 if not set. */
  get requireMinCompatClient(): number {
    return this.state.requireMinCompatClient;
  }

  get fsid(): string {
    return this.state.fsid;
  }

  pool(id: number): Pool | undefined {
    return this.state.pools.get(id);
  }

  poolByName(name: string): Pool | undefined {
    const id = this.#poolIds.get(name);
    return id === undefined ? undefined : this.pool(id);
  }

  poolName(id: number): string | undefined {
    return this.state.poolNames.get(id);
  }

  /** The PG of an object; its hash, which requests carry too, is `objectHash`. */
  pgOf(pool: Pool, object: string, locator?: ObjectLocator): PgId {
    return { pool: pool.id, seed: stableMod(objectHash(pool, object, locator), pool.pgNum) };
  }

  /**
   * The OSDs of a PG.
   *
   * @param seed of the PG, below the pool's `pgNum`
   */
  place(pool: Pool, seed: number): PgPlacement {
    let placements = this.#placements.get(pool.id);
    if (placements === undefined) {
      placements = new Map();
      this.#placements.set(pool.id, placements);
    }
    let placement = placements.get(seed);
    if (placement === undefined) {
      placement = placePg(this.state, pool, seed);
      placements.set(seed, placement);
    }
    return placement;
  }

  exists(osd: number): boolean {
    return ((this.state.osds.state[osd] ?? 0) & OsdState.exists) !== 0;
  }

  isUp(osd: number): boolean {
    return this.exists(osd) && (this.state.osds.state[osd]! & OsdState.up) !== 0;
  }

  isIn(osd: number): boolean {
    return this.exists(osd) && this.state.osds.weight[osd] !== 0;
  }

  /** An OSD's public addresses; empty if it was never up. */
  addrs(osd: number): readonly EntityAddr[] {
    return this.state.osds.addrs[osd] ?? [];
  }

  has(flag: (typeof MapFlag)[keyof typeof MapFlag]): boolean {
    return (this.state.flags & flag) !== 0;
  }

  /** Whether reads must wait for a later map. */
  get readsPaused(): boolean {
    return this.has(MapFlag.pauseReads);
  }

  /** Whether writes to the pool must wait for a later map; `full` does not apply to writes that may exceed it. */
  writesPaused(pool: Pool, mayFill = false): boolean {
    return this.has(MapFlag.pauseWrites) || (!mayFill && this.isFull(pool));
  }

  /** Whether the cluster or the pool takes no more data. */
  isFull(pool: Pool): boolean {
    return this.has(MapFlag.full) || (pool.flags & PoolFlag.full) !== 0;
  }

  /** Whether OSDs refuse the client with these addresses. */
  isBlocklisted(addrs: readonly EntityAddr[]): boolean {
    return this.state.blocklist.has(addrs);
  }
}

/** Encoded maps by epoch, as a monitor or an OSD sends them. */
export interface OsdMapUpdate {
  fulls: ReadonlyMap<number, Uint8Array>;
  incrementals: ReadonlyMap<number, Uint8Array>;
}

/**
 * Updates a map as far as possible without a gap, by successive incrementals, or else the newest full map.
 *
 * @returns the newest map reached (the given one if nothing was newer), and `missing`: the first epoch to request if
 * the update has later maps after a gap
 */
export function advanceOsdMap(
  current: OsdMap | undefined,
  { fulls, incrementals }: OsdMapUpdate,
): { map: OsdMap | undefined; missing: number | undefined } {
  const followed = current && follow(current, incrementals);
  const newestFull = Math.max(0, ...fulls.keys());
  const jumps = newestFull > (followed?.epoch ?? 0);
  const map = jumps ? follow(decodeNext(fulls.get(newestFull)!, current), incrementals) : followed;
  const reached = map?.epoch ?? 0;
  const beyond = Math.max(0, ...incrementals.keys()) > reached;
  return { map, missing: beyond ? reached + 1 : undefined };
}

function decodeNext(bytes: Uint8Array, current: OsdMap | undefined): OsdMap {
  const map = OsdMap.decode(bytes);
  if (current !== undefined && current.fsid !== map.fsid) {
    throw new RadosError(
      "SIPHON_RADOS_PROTOCOL",
      `cannot take over OSD map ${map.epoch}: it belongs to cluster ${map.fsid}, the current one to ${current.fsid}`,
    );
  }
  return map;
}

function follow(start: OsdMap, incrementals: ReadonlyMap<number, Uint8Array>): OsdMap {
  let map = start;
  for (;;) {
    const bytes = incrementals.get(map.epoch + 1);
    if (bytes === undefined) return map;
    map = map.apply(decodeIncremental(bytes));
  }
}
