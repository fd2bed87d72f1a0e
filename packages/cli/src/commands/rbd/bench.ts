import {
  type CachePolicy,
  cachePolicies,
  type Image,
  ImageLoad,
  type LoadOptions,
  type LoadResult,
  type OpenOptions,
  WorkersLoad,
} from "@siphon/rbd";
import { Command, Option } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { interruption } from "../../interruption.ts";
import { toNumber } from "../../options.ts";
import { bytesText } from "../rados/format.ts";
import { rateJson, rateResult } from "./bench-rate.ts";
import { runScale, scaleJson, scaleTable } from "./bench-scale.ts";
import {
  parseBytes,
  parseCount,
  type SpecFlags,
  usage,
  wholeImageSpec,
  withSpecFlags,
} from "./image-spec.ts";
import { type FormatFlags, print, withFormatFlags } from "./output.ts";
import { withImage } from "./run.ts";

interface Flags extends ConnectFlags, SpecFlags, FormatFlags {
  ioType?: LoadOptions["type"] | "rw";
  ioSize: string;
  ioThreads: string;
  ioTotal?: string;
  ioPattern: LoadOptions["pattern"];
  rwMixRead: string;
  rate?: string;
  arrivals?: LoadOptions["arrivals"];
  seconds?: string;
  warmup?: string;
  cache?: CachePolicy | "none";
  workers?: string;
  scale?: string;
}

export function benchCommand(): Command {
  const command = new Command("bench")
    .summary("measure the speed of an image")
    .description(
      "Measure reads or writes of an image, with the arguments and the output of `rbd bench`. Writes destroy the image's data.",
    )
    .argument("[image-spec]", "[pool/[namespace/]]image")
    .addOption(new Option("--io-type <type>", "kind of load").choices(["read", "write", "readwrite", "rw"]))
    .option("--io-size <size>", "bytes of a request (in B/K/M/G/T)", "4K")
    .option("--io-threads <n>", "requests in flight", "16")
    .option("--io-total <size>", "bytes in all (default: 1G, or as many as --seconds allows)")
    .addOption(
      new Option("--io-pattern <pattern>", "order of the requests")
        .choices(["rand", "seq", "full-seq"])
        .default("seq"),
    )
    .option("--rw-mix-read <percent>", "percentage of reads in a readwrite load", "50")
    .option(
      "--rate <n>",
      "requests that arrive in a second, whether earlier ones are done or not (an open loop); latencies count from the arrival",
    )
    .addOption(
      new Option("--arrivals <process>", "how they arrive (default: fixed)").choices(["fixed", "poisson"]),
    )
    .option("--seconds <s>", "end after this many seconds")
    .option("--warmup <s>", "seconds of the same load before them, which are not reported")
    .addOption(
      new Option(
        "--cache <policy>",
        "a cache in front of the image (default: as rbd_cache says, or none)",
      ).choices(["none", ...cachePolicies]),
    )
    .option("--workers <n>", "threads that read and write, each with connections and requests of its own")
    .option(
      "--scale <n>",
      "the same load with 1, 2, 4, ... up to so many workers, each with --io-threads requests in flight, and what each of them costs",
    );
  return withConnectFlags(withFormatFlags(withSpecFlags(command))).action(bench);
}

async function bench(spec: string | undefined, flags: Flags): Promise<void> {
  const load = loadOf(flags);
  const whole = wholeImageSpec(spec, flags);
  const warmup = toNumber(flags.warmup) ?? 0;
  const cache = cacheOf(flags);
  // Reads may be cached only while this client holds the exclusive lock, so a cache needs a writable image.
  const readOnly = load.type === "read" && !cache.cache;
  const workers = flags.workers === undefined ? undefined : parseCount("--workers", flags.workers);
  if (workers !== undefined && load.depth < workers) throw usage("--io-threads is at least --workers");
  const options: OpenOptions = { readOnly, ...(cache.cache && { exclusive: true }), ...cache, workers };
  if (flags.scale !== undefined) {
    if (workers !== undefined) throw usage("--scale says by itself how many --workers there are");
    const most = positive("--scale", parseCount("--scale", flags.scale));
    const steps = await runScale(most, load, warmup, (count, action) =>
      withImage(flags, whole, { ...options, workers: count }, async (image) => {
        assertSize(load, image);
        return action(image);
      }),
    );
    print(
      flags,
      () => scaleTable(steps),
      () => scaleJson(steps, load),
    );
    return;
  }
  await withImage(flags, whole, options, async (image) => {
    assertSize(load, image);
    // The rbd command writes back from the start, despite rbd_cache_writethrough_until_flush: this flush enables that here.
    await image.flush();
    if (warmup > 0) await loadOn(image, { ...load, total: undefined, seconds: warmup }).run();
    if (flags.format === "plain") process.stdout.write(heading(load));
    const before = process.cpuUsage();
    const result = await runShown(image, load, flags.format === "plain");
    const { user, system } = process.cpuUsage(before);
    await image.flush();
    print(
      flags,
      () =>
        plainResult(result, load) +
        (load.rate === undefined ? "" : rateResult(result, load.rate, user + system)),
      () => ({
        ...jsonResult(result, load),
        ...(load.rate !== undefined && rateJson(result, load, user + system)),
      }),
    );
  });
}

function assertSize(load: LoadOptions, image: Image): void {
  if (load.size > image.size) {
    const [asked, there] = [load.size, image.size].map(bytesText);
    throw usage(`--io-size ${asked} is larger than the image, which has ${there}`);
  }
  if (image.workers?.isSingle) {
    process.stderr.write("siphon: the OSDs speak only protocol v1, over which an image has one worker\n");
  }
}

function cacheOf({ cache }: Flags): Pick<OpenOptions, "cache"> {
  if (cache === undefined) return {};
  return { cache: cache !== "none" && { policy: cache } };
}

function loadOf(flags: Flags): LoadOptions {
  const { ioType, ioPattern: pattern } = flags;
  const [ioSize, ioThreads] = [parseBytes(flags.ioSize, "B"), parseCount("--io-threads", flags.ioThreads)];
  if (ioType === undefined) throw usage("--io-type must be specified.", "read, write, readwrite or rw");
  const seconds = flags.seconds === undefined ? undefined : positive("--seconds", Number(flags.seconds));
  const total = flags.ioTotal ?? (seconds === undefined ? "1G" : undefined);
  const readPercent = parseCount("--rw-mix-read", flags.rwMixRead);
  if (readPercent > 100) throw usage("--rw-mix-read is a number up to 100");
  const rate = flags.rate === undefined ? undefined : positive("--rate", Number(flags.rate));
  if (rate === undefined && flags.arrivals !== undefined) throw usage("--arrivals are those of a --rate");
  if (rate !== undefined && flags.scale !== undefined) {
    throw usage("--scale measures how many requests there can be, and --rate says it");
  }
  return {
    ...(rate !== undefined && { rate, arrivals: flags.arrivals }),
    ...{ type: ioType === "rw" ? "readwrite" : ioType, pattern, readPercent, seconds },
    size: positive("--io-size", ioSize),
    depth: positive("--io-threads", ioThreads),
    total: total === undefined ? undefined : parseBytes(total, "B"),
    signal: interruption.signal,
  };
}

function positive(flag: string, value: number): number {
  if (!(value > 0)) throw usage(`${flag} is a number above 0`);
  return value;
}

/** Prints a line for each second of the load, like rbd's. */
async function runShown(image: Image, options: LoadOptions, shown: boolean): Promise<LoadResult> {
  const load = loadOn(image, options);
  using stack = new DisposableStack();
  if (shown) {
    const timer = setInterval(() => {
      const { seconds, requests, bytes } = load.progress;
      const columns = [String(Math.round(seconds)).padStart(5), String(requests).padStart(8)];
      const rates = `${significant(requests / seconds).padStart(8)}  ${binary(bytes / seconds)}`;
      process.stdout.write(`${columns.join("  ")}  ${rates}/s\n`);
    }, 1000);
    stack.defer(() => clearInterval(timer));
  }
  return await load.run();
}

function loadOn(image: Image, options: LoadOptions): ImageLoad | WorkersLoad {
  return image.workers === undefined
    ? new ImageLoad(image, options)
    : new WorkersLoad(image.workers, options);
}

function heading(load: LoadOptions): string {
  const { type, size, depth, rate, arrivals = "fixed", total, seconds, pattern, readPercent = 50 } = load;
  const mix = type === "readwrite" ? ` read:write=${readPercent}:${100 - readPercent}` : "";
  const pace = rate === undefined ? "" : ` rate ${rate} (${arrivals})`;
  const length = total === undefined ? `seconds ${seconds}` : `bytes ${total}`;
  return (
    `bench  type ${type}${mix} io_size ${size} io_threads ${depth}${pace} ${length} pattern ${patternNames[pattern]}\n` +
    "  SEC       OPS   OPS/SEC   BYTES/SEC\n"
  );
}

function plainResult(
  { seconds, requests, bytes, reads, writes }: LoadResult,
  { type, size }: LoadOptions,
): string {
  const rate = (count: number) => significant(count / seconds);
  const lines = [
    `elapsed: ${Math.floor(seconds)}   ops: ${requests}   ops/sec: ${rate(requests)}   bytes/sec: ${binary(bytes / seconds)}/s`,
  ];
  if (type === "readwrite") {
    for (const [name, count] of [
      ["read", reads],
      ["write", writes],
    ] as const) {
      const speed = `${name}_bytes/sec: ${binary((count * size) / seconds)}/s`;
      lines.push(`${name}_ops: ${count}   ${name}_ops/sec: ${rate(count)}   ${speed}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function jsonResult({ seconds, requests, bytes, reads, writes, latency }: LoadResult, load: LoadOptions) {
  const { type, size, depth, pattern } = load;
  const at = (percentile: number) => latency.percentile(percentile) / 1000;
  return {
    ...{ type, io_size: size, io_threads: depth, pattern, seconds, ops: requests, reads, writes, bytes },
    ops_per_sec: requests / seconds,
    bytes_per_sec: bytes / seconds,
    latency_us: {
      ...{ mean: latency.mean / 1000, min: latency.min / 1000, max: latency.max / 1000 },
      ...{ p50: at(50), p95: at(95), p99: at(99), p999: at(99.9) },
    },
  };
}

/** Six significant digits, as C++ streams print numbers. */
function significant(value: number): string {
  return String(Number(value.toPrecision(6)));
}

/** Bytes in whole units, as rbd prints them. */
function binary(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  return `${significant(Math.floor(bytes / 1024 ** power))} ${units[power]}`;
}

const units = ["B", "KiB", "MiB", "GiB", "TiB"];
const patternNames = { rand: "random", seq: "sequential", "full-seq": "full sequential" };
