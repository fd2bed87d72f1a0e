import type { Cluster } from "@siphon/rados";
import {
  type ImagePerformance,
  imagePerformance,
  type PerformanceMetric,
  type PerformanceQuery,
  performanceMetrics,
} from "@siphon/rbd";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { interruption } from "../../interruption.ts";
import { badOption, type SpecFlags, withSpecFlags } from "./image-spec.ts";
import { LiveScreen } from "./live-screen.ts";
import { type Column, table } from "./output.ts";
import {
  countOption,
  imageName,
  metricOption,
  metricText,
  pause,
  performanceRow,
  statisticsPeriod,
  withQuery,
} from "./performance.ts";

interface Flags extends ConnectFlags, SpecFlags {
  sortBy: string;
  iterations?: string;
  interval?: string;
  format: string;
}

export function topCommand(): Command {
  const command = new Command("top")
    .summary("show the busiest images: operations, bytes and latency, live")
    .description(
      "Show operations, bytes and latencies per second of the busiest images, as the OSDs count them for the manager's module rbd_support.",
    )
    .argument("[pool-spec]", "POOL[/NAMESPACE] (default: all pools)")
    .option("--sort-by <metric>", "write-ops, read-ops, write-bytes, read-bytes, ...", "write-ops")
    .option("--iterations <n>", "number of outputs (default: until interrupted)")
    .option("--interval <seconds>", "seconds between outputs (default: the cluster's mgr_stats_period)")
    .option("--format <format>", "plain, or json with one line each time", "plain")
    .addHelpText("after", "\nOn a terminal, < and > select the sort column, and q quits.")
    .action((text: string | undefined, flags: Flags) => {
      const options = {
        ...{ format: formatOption(flags.format), sortBy: metricOption(flags.sortBy) },
        ...{ iterations: countOption(flags.iterations), interval: secondsOption(flags.interval) },
      };
      return withQuery(text, flags, (cluster, query) => showTop(cluster, query, options));
    });
  return withConnectFlags(withSpecFlags(command));
}

export interface TopOptions {
  format: "plain" | "json";
  sortBy?: PerformanceMetric;
  iterations?: number | undefined;
  /** Seconds. */
  interval?: number | undefined;
}

/** Shows the busiest images until it is interrupted: a screen on a terminal, otherwise a table or a line of JSON per interval. */
export async function showTop(
  cluster: Cluster,
  query: PerformanceQuery,
  { format, sortBy = "write_ops", iterations, interval = statisticsPeriod(cluster) }: TopOptions,
): Promise<void> {
  const ended = new AbortController();
  let key = Promise.withResolvers<void>();
  let metric = sortBy;
  const onKey = (pressed: string) => {
    if (pressed === "q" || pressed === "Q" || pressed === "\x03") ended.abort();
    const step = { "<": -1, ">": 1, "\x1b[D": -1, "\x1b[C": 1 }[pressed];
    if (step === undefined) return;
    metric = performanceMetrics.at((performanceMetrics.indexOf(metric) + step) % performanceMetrics.length)!;
    key.resolve();
  };
  using screen = format === "plain" && process.stdout.isTTY ? new LiveScreen(onKey) : undefined;
  const signal = AbortSignal.any([interruption.signal, ended.signal]);
  const ask = () => imagePerformance(cluster, { ...query, sortBy: metric, signal });
  try {
    // The first query makes the OSDs start counting, so its result is empty. Without a screen, wait here until there are numbers.
    let found = await ask();
    const counted = performance.now() + firstAnswer * statisticsPeriod(cluster) * 1000;
    while (screen === undefined && found.length === 0 && performance.now() < counted) {
      await pause(1, signal);
      found = await ask();
    }
    for (let count = 0; count < (iterations ?? Number.POSITIVE_INFINITY); count++) {
      screen?.show(lines(found, metric, query));
      key = Promise.withResolvers();
      await Promise.race([pause(interval, signal), key.promise]);
      found = await ask();
      if (format === "json") process.stdout.write(`${JSON.stringify(jsonOf(found))}\n`);
      else if (screen === undefined) process.stdout.write(`${lines(found, metric, query).join("\n")}\n\n`);
    }
  } catch (error) {
    if (!ended.signal.aborted) throw error;
  }
}

/** Statistics periods until the manager knows every busy image. */
const firstAnswer = 2;

function lines(
  found: readonly ImagePerformance[],
  sortBy: PerformanceMetric,
  { pool }: PerformanceQuery,
): string[] {
  const columns = performanceMetrics.map((metric): Column => {
    return [`${metric === sortBy ? ">" : " "}${heads[metric]}`, "right", "right"];
  });
  const rows = found.map((each) => [
    ...performanceMetrics.map((metric) => metricText(metric, each[metric])),
    imageName(each, pool === undefined),
  ]);
  const text = table([...columns, ["IMAGE", "left"]], rows).trimEnd();
  return [
    ...text.split("\n"),
    ...(found.length === 0 ? ["", "no image reads or writes, as far as is known"] : []),
  ];
}

const heads: Record<PerformanceMetric, string> = {
  write_ops: "WRITES",
  read_ops: "READS",
  write_bytes: "WRITTEN",
  read_bytes: "READ",
  write_latency: "WR LAT",
  read_latency: "RD LAT",
};

function jsonOf(found: readonly ImagePerformance[]): unknown {
  return { time: new Date().toISOString(), images: found.map(performanceRow) };
}

function formatOption(text: string): TopOptions["format"] {
  if (text === "plain" || text === "json") return text;
  throw badOption(`there is no format ${text}: plain, json`);
}

function secondsOption(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (seconds > 0 && Number.isFinite(seconds)) return seconds;
  throw badOption(`--interval takes seconds, and not ${text}`);
}
