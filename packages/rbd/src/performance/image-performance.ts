import type { Cluster } from "@siphon/rados";
import { moduleCommand } from "../manager/module-command.ts";

/** Counters of the OSDs for each image, in the order in which rbd shows them. */
export const performanceMetrics = [
  "write_ops",
  "read_ops",
  "write_bytes",
  "read_bytes",
  "write_latency",
  "read_latency",
] as const;

export type PerformanceMetric = (typeof performanceMetrics)[number];

/** Operations and bytes per second, and the mean latency in nanoseconds, by the OSDs' clocks. */
export interface ImagePerformance extends Record<PerformanceMetric, number> {
  pool: string;
  namespace: string;
  image: string;
}

export interface PerformanceQuery {
  /** Undefined: all pools with images. */
  pool?: string | undefined;
  /** Undefined: all namespaces of the pool. */
  namespace?: string | undefined;
  /** The metric that ranks the images; default `write_ops`. */
  sortBy?: PerformanceMetric | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * The busiest images, from the manager's module rbd_support (`rbd perf image stats`). The first query makes the OSDs
 * count, so results arrive one or two periods (`mgr_stats_period`) later. A query expires after a minute without
 * requests.
 *
 * @throws RbdError SIPHON_RBD_UNSUPPORTED while the manager has no such module
 */
export async function imagePerformance(
  cluster: Pick<Cluster, "command">,
  { pool = "", namespace = "", sortBy = "write_ops", signal }: PerformanceQuery = {},
): Promise<ImagePerformance[]> {
  const spec = namespace === "" ? pool : `${pool}/${namespace}`;
  const command = { prefix: "rbd perf image stats", pool_spec: spec, sort_by: sortBy };
  return readReport((await moduleCommand(cluster, "rbd_support", command, signal)) as PerformanceReport);
}

/** An answer of rbd_support: images as `0/name`, with `pool` or `pool/namespace` for 0 in pool_descriptors. */
export interface PerformanceReport {
  stat_descriptors: string[];
  pool_descriptors: Record<string, string>;
  stats: Record<string, number[]>[];
}

export function readReport({
  stat_descriptors: metrics,
  pool_descriptors: pools,
  stats,
}: PerformanceReport): ImagePerformance[] {
  return stats.flatMap(Object.entries<number[]>).map(([key, values]) => {
    const slash = key.indexOf("/");
    const [pool = "", namespace = ""] = (pools[key.slice(0, slash)] ?? "").split("/");
    const numbers = performanceMetrics.map((metric) => [metric, values[metrics.indexOf(metric)] ?? 0]);
    const measured = Object.fromEntries(numbers) as Record<PerformanceMetric, number>;
    return { pool, namespace, image: key.slice(slash + 1), ...measured };
  });
}
