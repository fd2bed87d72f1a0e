import type { ObjectLocator } from "../osdmap/object-hash.ts";

/**
 * An object and its placement. A caller that uses an object repeatedly keeps its target: the encoded name is then
 * computed once, and the placement once per epoch.
 */
export class ObjectTarget {
  readonly poolId: number;
  readonly name: string;
  readonly namespace: string;
  readonly key: string;
  /** The placement seed of a PG operation (`requestFlag.pgOperation`), whose name and key are empty. */
  readonly fixedHash: number | undefined;
  /** Filled in and kept current by the objecter: the PG, its OSD, and the epoch of the map (0: not placed yet). */
  hash = 0;
  pgNum = 0;
  pgSeed = 0;
  primary = -1;
  shard = -1;
  acting: readonly number[] = [];
  epoch = 0;
  /** The constant front part of requests to this object, built by the objecter. */
  template: Buffer | undefined;
  /** The same object in the cache tier's pool, if there is one. */
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
