import type { Reader } from "@siphon/wire";

/** A placement group: a pool's objects whose hash falls on `seed` (pg_t in src/osd/osd_types.h). */
export interface PgId {
  pool: number;
  seed: number;
}

/** u8 1, u64 pool, u32 seed, i32 preferred OSD (no longer used). */
export function readPgId(r: Reader): PgId {
  const version = r.u8();
  if (version !== 1) throw r.malformed(`a PG id of version ${version}`);
  const pool = r.u64Number();
  const seed = r.u32();
  r.skip(4);
  return { pool, seed };
}

export const pgIdBytes = 17;

/** As Ceph writes it: `POOL.SEED`, the seed in hexadecimal. */
export function formatPgId({ pool, seed }: PgId): string {
  return `${pool}.${seed.toString(16)}`;
}

/** Values by PG. Immutable: `with` makes a new one, copying only the changed pools. */
export class PgTable<V> {
  readonly #pools: ReadonlyMap<number, ReadonlyMap<number, V>>;

  private constructor(pools: ReadonlyMap<number, ReadonlyMap<number, V>>) {
    this.#pools = pools;
  }

  static from<V>(entries: Iterable<readonly [PgId, V]>): PgTable<V> {
    return new PgTable<V>(new Map()).with(entries, []);
  }

  get(pool: number, seed: number): V | undefined {
    return this.#pools.get(pool)?.get(seed);
  }

  get size(): number {
    let size = 0;
    for (const seeds of this.#pools.values()) size += seeds.size;
    return size;
  }

  *entries(): Generator<[PgId, V]> {
    for (const [pool, seeds] of this.#pools) {
      for (const [seed, value] of seeds) yield [{ pool, seed }, value];
    }
  }

  /** This table with some values set and then some removed. */
  with(set: Iterable<readonly [PgId, V]>, removed: Iterable<PgId>): PgTable<V> {
    const pools = new Map(this.#pools);
    const copied = new Map<number, Map<number, V>>();
    const writable = (pool: number): Map<number, V> => {
      let seeds = copied.get(pool);
      if (seeds === undefined) {
        seeds = new Map(this.#pools.get(pool));
        copied.set(pool, seeds);
        pools.set(pool, seeds);
      }
      return seeds;
    };
    for (const [{ pool, seed }, value] of set) writable(pool).set(seed, value);
    for (const { pool, seed } of removed) writable(pool).delete(seed);
    return copied.size === 0 ? this : new PgTable(pools);
  }
}
