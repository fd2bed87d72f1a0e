import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "@siphon/rados";
import {
  type ImagePerformance,
  type PerformanceMetric,
  type PerformanceQuery,
  performanceMetrics,
} from "@siphon/rbd";
import type { ConnectFlags } from "../../cluster-options.ts";
import { connectCluster } from "../../connect.ts";
import { bytesText } from "../rados/format.ts";
import { badOption, poolSpec, type SpecFlags } from "./image-spec.ts";

/** Runs an action with a cluster and a query for the pool or namespace that is named, or for all pools. */
export async function withQuery(
  text: string | undefined,
  flags: ConnectFlags & SpecFlags,
  action: (cluster: Cluster, query: PerformanceQuery) => Promise<void>,
): Promise<void> {
  const isNamed = text !== undefined || flags.pool !== undefined || flags.namespace !== undefined;
  const query = isNamed ? poolSpec(text, flags) : {};
  await using cluster = await connectCluster(flags);
  await action(cluster, query);
}

/** Seconds between two reports of an OSD to the manager. */
export function statisticsPeriod(cluster: Cluster): number {
  return Math.min(10, Number(cluster.setting("mgr_stats_period") ?? 5) || 5);
}

export async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  await sleep(seconds * 1000, undefined, { signal });
}

/** The value of `--iterations`, which is at least 1. */
export function countOption(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw badOption(`--iterations takes a number from 1 on, and not ${text}`);
}

/** The value of `--sort-by`: a metric, with `-` or `_` between its words. */
export function metricOption(text: string): PerformanceMetric {
  const metric = performanceMetrics.find((each) => each === text.replaceAll("-", "_"));
  if (metric !== undefined) return metric;
  throw badOption(
    `there is no metric ${text}: ${performanceMetrics.map((each) => each.replace("_", "-")).join(", ")}`,
  );
}

/** The image's name; with its pool and namespace if the table spans several pools. */
export function imageName({ pool, namespace, image }: ImagePerformance, withPool: boolean): string {
  return withPool ? [pool, namespace, image].filter((part) => part !== "").join("/") : image;
}

/** A row with rbd's field names, for JSON and XML. */
export function performanceRow({ pool, namespace, image, ...metrics }: ImagePerformance) {
  return { ...{ pool, pool_namespace: namespace, image }, ...metrics };
}

/** A value in rbd's form: `1.89k/s`, `30 MiB/s`, `179.30 us`. */
export function metricText(metric: PerformanceMetric, value: number): string {
  if (metric.endsWith("_latency")) return latencyText(value);
  const whole = Math.floor(value);
  return `${metric.endsWith("_ops") ? countText(whole) : bytesText(whole)}/s`;
}

/** A count in at most seven characters: `1.89k`. */
function countText(count: number): string {
  const units = ["", "k", "M", "G", "T", "P", "E"];
  let unit = 0;
  for (let rest = count; rest >= 1000; rest = Math.floor(rest / 1000)) unit++;
  const value = count / 1000 ** unit;
  if (Number.isInteger(value)) return `${value}${units[unit]}`;
  const fitting = [2, 1].map((digits) => `${value.toFixed(digits)}${units[unit]}`);
  return fitting.find((text) => text.length <= 7) ?? `${value.toFixed(0)}${units[unit]}`;
}

function latencyText(nanoseconds: number): string {
  const [unit, divisor] = latencyUnits.find(([, least]) => nanoseconds >= least) ?? (["ns", 1] as const);
  return `${(nanoseconds / divisor).toFixed(2)} ${unit}`;
}

const latencyUnits = [
  ["s", 1e9],
  ["ms", 1e6],
  ["us", 1e3],
] as const;
