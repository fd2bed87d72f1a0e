/** Contents of a pool, and operations on it, as in `rados df`; bytes and counts. */
export interface PoolStatistics {
  name: string;
  id: number;
  usedBytes: number;
  usedKib: number;
  objects: number;
  clones: number;
  /** Objects and clones, with all their copies. */
  copies: number;
  missingOnPrimary: number;
  unfound: number;
  degraded: number;
  reads: number;
  readBytes: number;
  writes: number;
  writtenBytes: number;
  compressedBytes: number;
  /** Bytes before compression of the data that was compressed. */
  uncompressedBytes: number;
}

/** All pools, and the cluster as a whole in KiB. */
export interface ClusterStatistics {
  pools: PoolStatistics[];
  objects: number;
  usedKib: number;
  availableKib: number;
  totalKib: number;
}

/** Reads the outputs of `df detail` and `pg dump pools`. */
export function readStatistics(usage: unknown, pgs: unknown): ClusterStatistics {
  const { stats: whole, pools } = usage as DfOutput;
  const sums = new Map((pgs as PgDumpOutput).pool_stats.map(({ poolid, stat_sum }) => [poolid, stat_sum]));
  const statistics = pools.flatMap(({ name, id, stats }): PoolStatistics[] => {
    const sum = sums.get(id);
    // The manager does not know a very new pool yet.
    if (sum === undefined) return [];
    return [
      {
        ...{ name, id, usedBytes: stats.bytes_used, usedKib: stats.kb_used },
        ...{ objects: sum.num_objects, clones: sum.num_object_clones, copies: sum.num_object_copies },
        ...{ missingOnPrimary: sum.num_objects_missing_on_primary, unfound: sum.num_objects_unfound },
        ...{ degraded: sum.num_objects_degraded },
        ...{ reads: sum.num_read, readBytes: sum.num_read_kb * 1024 },
        ...{ writes: sum.num_write, writtenBytes: sum.num_write_kb * 1024 },
        compressedBytes: stats.compress_bytes_used,
        uncompressedBytes: stats.compress_under_bytes,
      },
    ];
  });
  return {
    pools: statistics,
    objects: statistics.reduce((total, { objects }) => total + objects, 0),
    usedKib: Math.floor(whole.total_used_raw_bytes / 1024),
    availableKib: Math.floor(whole.total_avail_bytes / 1024),
    totalKib: Math.floor(whole.total_bytes / 1024),
  };
}

interface DfOutput {
  stats: { total_bytes: number; total_used_raw_bytes: number; total_avail_bytes: number };
  pools: {
    name: string;
    id: number;
    stats: {
      bytes_used: number;
      kb_used: number;
      compress_bytes_used: number;
      compress_under_bytes: number;
    };
  }[];
}

interface PgDumpOutput {
  pool_stats: { poolid: number; stat_sum: Record<StatSum, number> }[];
}

type StatSum =
  | "num_objects"
  | "num_object_clones"
  | "num_object_copies"
  | "num_objects_missing_on_primary"
  | "num_objects_unfound"
  | "num_objects_degraded"
  | "num_read"
  | "num_read_kb"
  | "num_write"
  | "num_write_kb";
