import { mean, median } from "simple-statistics";
import { sum } from "../ladder/slice.ts";
import type { DensityRun } from "./results.ts";
import type { DensitySlice } from "./slice.ts";

/**
 * Sums up the slices of one block with a number of VMs: I/Os, time and CPU are added up; percentiles of latency are medians over VMs and
 * slices of each fio's own, and the mean is that of all I/Os.
 */
export function densityRunOf(
  slices: readonly DensitySlice[],
  blockSize: number,
): Omit<DensityRun, "outlier" | "repeat" | "order" | "started" | "fio"> {
  const vms = slices.flatMap((slice) => slice.vms);
  const ios = vms.reduce((all, vm) => all + vm.ios, 0);
  const seconds = slices.reduce((all, slice) => all + slice.seconds, 0);
  const iops = mean(slices.map((slice) => slice.vms.reduce((all, vm) => all + vm.iops, 0)));
  const over = (name: "p50" | "p95" | "p99" | "p999") => median(vms.map(({ latency }) => latency[name]));
  const osds = slices.flatMap((slice) => slice.osds ?? []);
  const each = slices[0]!.vms.map((_, index) => mean(slices.map((slice) => slice.vms[index]!.iops)));
  return {
    ...{ seconds, ios: Math.round(ios), iops },
    bytesPerSecond: iops * blockSize,
    latency: {
      mean: vms.reduce((all, vm) => all + vm.latency.mean * vm.ios, 0) / Math.max(1, ios),
      ...{ p50: over("p50"), p95: over("p95"), p99: over("p99"), p999: over("p999") },
    },
    cpu: {
      client: slices.map(({ client }) => client).reduce(sum),
      ...(osds.length === slices.length && { osds: osds.reduce(sum) }),
    },
    memory: Math.round(mean(slices.map((slice) => slice.memory / slice.vms.length))),
    slowest: Math.min(...each) / Math.max(mean(each), Number.MIN_VALUE),
  };
}
