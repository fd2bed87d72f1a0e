import {
  type BenchRun,
  benchPrefix,
  benchRead,
  benchWrite,
  defaultRunName,
  findBenchRun,
  type LoadResult,
  type LoadSecond,
  type Pool,
  RadosError,
  removeBenchObjects,
  removeBenchRun,
  type Spread,
} from "@siphon/rados";
import { SiphonError } from "@siphon/wire";
import type { RadosCall, RadosVerb } from "./call.ts";
import { sixDigits } from "./format.ts";

export const benchVerbs: RadosVerb[] = [
  {
    ...{
      name: "bench",
      arguments: "<seconds> write|seq|rand",
      summary: "measure the speed of writes and reads of objects",
    },
    ...{ takes: [2, 2], hasOutput: "json", run: bench },
  },
  { name: "cleanup", arguments: "", summary: "remove the objects of bench", takes: [0, 0], run: cleanup },
];

type Kind = "write" | "seq" | "rand";

async function bench(call: RadosCall): Promise<void> {
  const [seconds, kind] = [Number(call.args[0]), call.args[1] as Kind];
  if (!(seconds > 0) || !["write", "seq", "rand"].includes(kind)) {
    throw new SiphonError("SIPHON_USAGE", "usage: siphon rados bench <seconds> write|seq|rand");
  }
  const pool = await call.pool();
  const { flags, signal } = call;
  const runName = flags.runName ?? defaultRunName;
  const shown: LoadSecond[] = [];
  call.print("hints = 1\n");
  const onSecond = (now: LoadSecond) => {
    if (flags.format === "plain") call.print(`${shown.length % 20 === 0 ? titles : ""}${lineOf(now)}`);
    shown.push(now);
  };
  const load = { seconds, concurrency: flags.concurrency, onSecond, signal };
  if (kind !== "write") {
    const run = await findBenchRun(pool, runName);
    if (run === undefined) {
      throw new RadosError("ENOENT", `there is nothing in pool ${pool.name} that a benchmark could read`, {
        hint: "write first: bench <seconds> write --no-cleanup",
      });
    }
    const result = await benchRead(pool, kind, run, { ...load, verify: flags.verify });
    await report(call, kind, run, result, shown, {});
    return;
  }
  const opBytes = flags.blockSize ?? 4 << 20;
  const run = { pid: process.pid, objectBytes: flags.objectSize ?? opBytes, opBytes, ops: 0 };
  if (run.objectBytes < opBytes) throw new SiphonError("SIPHON_USAGE", "-O must not be less than -b");
  const limit = flags.maxObjects * Math.floor(run.objectBytes / opBytes);
  if (flags.format === "plain") {
    call.print(
      `Maintaining ${flags.concurrency} concurrent writes of ${opBytes} bytes to objects of size ${run.objectBytes} ` +
        `for up to ${seconds} seconds or ${flags.maxObjects} objects\nObject prefix: ${benchPrefix(run.pid)}\n`,
    );
  }
  const result = await benchWrite(pool, runName, run, { ...load, ...(limit > 0 && { limit }) });
  const settings = {
    ...{ concurrent_ios: flags.concurrency, object_size: run.objectBytes, op_size: opBytes },
    ...{ seconds_to_run: seconds, max_objects: flags.maxObjects, object_prefix: benchPrefix(run.pid) },
  };
  // Printed before the results, as rados does, except with JSON on standard output.
  if (flags.cleanup) await removeAfter(call, pool, runName, { ...run, ops: result.finished });
  await report(call, kind, run, result, shown, settings);
}

async function removeAfter(call: RadosCall, pool: Pool, runName: string, run: BenchRun): Promise<void> {
  const { format, output } = call.flags;
  const isApart = format === "plain" || output !== undefined;
  const say = (text: string) => (isApart ? process.stdout : process.stderr).write(text);
  say("Cleaning up (deleting benchmark objects)\n");
  const started = performance.now();
  say(`Removed ${await removeBenchRun(pool, runName, run, call.signal)} objects\n`);
  const seconds = (performance.now() - started) / 1000;
  say(`Clean up completed and total clean up time :${sixDigits(seconds)}\n`);
}

async function cleanup(call: RadosCall): Promise<void> {
  const pool = await call.pool();
  const { prefix, runName = defaultRunName } = call.flags;
  const run = prefix === undefined ? await findBenchRun(pool, runName) : undefined;
  const removed = run
    ? await removeBenchRun(pool, runName, run, call.signal)
    : await removeBenchObjects(pool, prefix, call.signal);
  call.print(`Removed ${removed} objects\n`);
}

async function report(
  call: RadosCall,
  kind: Kind,
  { opBytes, objectBytes }: BenchRun,
  { seconds, finished, bandwidth, iops, latency }: LoadResult,
  shown: readonly LoadSecond[],
  settings: Record<string, unknown>,
): Promise<void> {
  const writes = kind === "write";
  if (call.flags.format === "plain") {
    const lines: [string, string | number][] = [
      ["Total time run:", sixDigits(seconds)],
      [`Total ${writes ? "writes" : "reads"} made:`, finished],
      [`${writes ? "Write" : "Read"} size:`, opBytes],
      ["Object size:", objectBytes],
      ["Bandwidth (MB/sec):", sixDigits(bandwidth.average)],
      ...(writes
        ? spreadLines(["Stddev Bandwidth:", "Max bandwidth (MB/sec):", "Min bandwidth (MB/sec):"], bandwidth)
        : []),
      ["Average IOPS:", iops.average],
      ...spreadLines(["Stddev IOPS:", "Max IOPS:", "Min IOPS:"], iops),
      ["Average Latency(s):", sixDigits(latency.average)],
      ...spreadLines(["Stddev Latency(s):", "Max latency(s):", "Min latency(s):"], latency).slice(
        writes ? 0 : 1,
      ),
    ];
    const width = writes ? 23 : 21;
    call.print(lines.map(([name, value]) => `${name.padEnd(width)} ${value}\n`).join(""));
    return;
  }
  const made = writes ? "writes" : "reads";
  const fields = {
    ...settings,
    datas: shown.map(dataOf),
    total_time_run: seconds.toFixed(6),
    [`total_${made}_made`]: finished,
    [`${made.slice(0, -1)}_size`]: opBytes,
    object_size: objectBytes,
    bandwidth: bandwidth.average.toFixed(6),
    ...(writes && spreadFields("bandwidth", bandwidth, true)),
    average_iops: iops.average,
    ...spreadFields("iops", iops, true),
    average_latency: latency.average.toFixed(6),
    ...spreadFields("latency", latency, writes),
  };
  await call.write(Buffer.from(`${JSON.stringify(texts(fields))}\n`));
}

function spreadLines(names: readonly string[], { deviation, max, min }: Spread): [string, string][] {
  return [deviation, max, min].map((value, i) => [names[i]!, sixDigits(value)]);
}

function spreadFields(
  what: string,
  { deviation, max, min }: Spread,
  deviates: boolean,
): Record<string, string | number> {
  const text = (value: number) => (what === "iops" ? Math.round(value) : value.toFixed(6));
  return {
    ...(deviates && { [`stddev_${what}`]: deviation.toFixed(6) }),
    [`max_${what}`]: text(max),
    [`min_${what}`]: text(min),
  };
}

/** In bench's JSON all values are strings. */
function texts(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === "object" ? value : String(value)]),
  );
}

const titles =
  ["sec".padStart(5), "Cur ops".padStart(8)].join("") +
  ["started", "finished", "avg MB/s", "cur MB/s"].map((title) => title.padStart(10)).join("") +
  `${["last lat(s)", "avg lat(s)"].map((title) => title.padStart(12)).join("")}\n`;

function lineOf(now: LoadSecond): string {
  const last = now.lastLatency === undefined ? "-" : sixDigits(now.lastLatency);
  return (
    String(now.second).padStart(5) +
    String(now.inFlight).padStart(8) +
    [now.started, now.finished, now.averageBandwidth, now.bandwidth]
      .map((value) => sixDigits(value).padStart(10))
      .join("") +
    `${last.padStart(12)}${sixDigits(now.averageLatency).padStart(12)}\n`
  );
}

function dataOf(now: LoadSecond): Record<string, unknown> {
  return texts({
    ...{ sec: now.second, cur_ops: now.inFlight, started: now.started, finished: now.finished },
    ...{ avg_bw: now.averageBandwidth.toFixed(6), cur_bw: now.bandwidth.toFixed(6) },
    ...{ last_lat: (now.lastLatency ?? 0).toFixed(6), avg_lat: now.averageLatency.toFixed(6) },
  });
}
