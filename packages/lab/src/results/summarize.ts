import { median } from "simple-statistics";
import { estimateMedian } from "../statistics/estimate.ts";
import { outliers } from "../statistics/outliers.ts";
import type { Run, Summary } from "./schema.ts";

/**
 * Summarizes the repeats of one rung, including outliers.
 *
 * @throws RangeError without runs
 */
export function summarize(runs: readonly Run[]): Summary {
  const over = (figure: (run: Run) => number) => estimateMedian(runs.map(figure));
  const withOsds = runs.filter((run) => run.cpu.osds !== undefined);
  return {
    iops: over((run) => run.iops),
    bytesPerSecond: over((run) => run.bytesPerSecond),
    latencyMean: over((run) => run.latency.mean),
    latencyP50: over((run) => run.latency.p50),
    latencyP95: over((run) => run.latency.p95),
    latencyP99: over((run) => run.latency.p99),
    latencyP999: over((run) => run.latency.p999),
    clientCpuPerIo: over((run) => cpuPerIo(run.cpu.client, run.ios)),
    ...(withOsds.length > 0 && {
      osdCpuPerIo: estimateMedian(withOsds.map((run) => cpuPerIo(run.cpu.osds!, run.ios))),
    }),
    threads: threadLoad(runs),
  };
}

/** The runs of one rung with `outlier` set on those whose IOPS are far from the others'. */
export function markOutliers(runs: readonly Omit<Run, "outlier">[]): Run[] {
  const flags = outliers(runs.map((run) => run.iops));
  return runs.map((run, index) => ({ ...run, outlier: flags[index]! }));
}

/** Microseconds of CPU per I/O; for a run without I/O, all of its CPU. */
export function cpuPerIo({ user, system }: { user: number; system: number }, ios: number): number {
  return ((user + system) * 1e6) / Math.max(ios, 1);
}

/** Percent of one core by thread name; 0 in repeats without the thread. */
function threadLoad(runs: readonly Run[]): Record<string, number> {
  const names = new Set(runs.flatMap((run) => Object.keys(run.cpu.client.threads)));
  return Object.fromEntries(
    [...names].map((name) => [
      name,
      median(runs.map((run) => ((run.cpu.client.threads[name] ?? 0) / run.seconds) * 100)),
    ]),
  );
}
