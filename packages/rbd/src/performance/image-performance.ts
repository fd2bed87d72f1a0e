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

/** Operations and bytes a second, and nanoseconds that an operation took on average; by the OSDs' clocks. */
export interface ImagePerformance extends Record<PerformanceMetric, number> {
  pool: string;
  namespace: string;
  image: string;
}

export interface PerformanceQuery {
  /** All pools of images, if missing. */
  pool?: string | undefined;
  /** All namespaces of the pool, if missing. */
  namespace?: string | undefined;
  /** The metric by which the busiest images are chosen; `write_ops` if missing. */
  sortBy?: PerformanceMetric | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * The busiest images, as the manager's module rbd_support sees them (`rbd perf image stats`): the first question makes the OSDs count,
 * so that answers begin a period of statistics (`mgr_stats_period`) or two later. Whoever asks no more is forgotten after a minute.
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

/** An answer of rbd_support: images as `0/name`, where pool_descriptors has `pool` or `pool/namespace` for 0. */
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
