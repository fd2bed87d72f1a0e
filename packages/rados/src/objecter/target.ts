import type { ObjectLocator } from "../osdmap/object-hash.ts";

/**
 * An object and its placement. A caller that uses an object repeatedly keeps its target, because placing it and the part
 * of the request that names it are then done once, and the placement once an epoch.
 */
export class ObjectTarget {
  readonly poolId: number;
  readonly name: string;
  readonly namespace: string;
  readonly key: string;
  /** Places what is a part of the pool and no object (`requestFlag.pgOperation`): its name and key are empty then. */
  readonly fixedHash: number | undefined;
  /** Filled in and kept current by the objecter: the PG, its OSD, and the epoch of the map (0: not placed yet). */
  hash = 0;
  pgNum = 0;
  pgSeed = 0;
  primary = -1;
  shard = -1;
  acting: readonly number[] = [];
  epoch = 0;
  /** The constant front part of requests to this object; made by the objecter. */
  template: Buffer | undefined;
  /** The same object in the pool in front of this one, where there is a cache tier. */
  overlay: ObjectTarget | undefined;

  constructor(
    poolId: number,
    name: string,
    { namespace = "", key = "" }: ObjectLocator = {},
    fixedHash?: number,
  ) {
    this.poolId = poolId;
    this.name = name;
    this.namespace = namespace;
    this.key = key;
    this.fixedHash = fixedHash;
  }
}
