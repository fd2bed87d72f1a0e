import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import {
  allocatorLibrary,
  type Call,
  fioCommand,
  host,
  type Platform,
  parseFio,
  type Root,
} from "@siphon/lab";
import { builtProgram } from "../../../../scripts/build/built-program.ts";
import type { Load } from "./loads.ts";

export interface Times {
  /** Seconds of load before the measurement. */
  warmup: number;
  seconds: number;
}

/** The target of the load: image and user. */
export interface Image {
  conf: string;
  pool: string;
  /** Without `client.`. */
  user: string;
  image: string;
}

export interface Sample {
  iops: number;
  /** Microseconds, user and system. */
  cpu: number;
  /** Microseconds. */
  p50: number;
  p99: number;
  p999: number;
  /** Peak resident memory. */
  mebibytes: number;
  /** Context switches per I/O, of all threads. */
  switches: number;
}

/** A program that puts a load on an image; its costs are measured from outside, in the same way for all. */
export interface Client {
  name: string;
  /** @param image with a configuration of this client's own, if it needs one */
  run(image: Image, load: Load, times: Times): Promise<Sample>;
  /** Lines to add to ceph.conf. */
  settings: string[];
}

/** `siphon rbd bench`. */
export const siphon: Client = {
  name: "siphon",
  settings: [],
  run: (image, load, times) => runSiphon(image, load, times, "none"),
};

/**
 * The same with this many workers.
 *
 * @param parted the load's requests in flight are shared by all workers, instead of per worker
 */
export const siphonWith = (workers: number, parted = false): Client => ({
  name: `siphon, ${workers} ${workers === 1 ? "worker" : "workers"}${parted ? ", parted" : ""}`,
  settings: [],
  run: (image, load, times) => {
    const depth = parted ? load.depth : load.depth * workers;
    return runSiphon(image, { ...load, depth }, times, "none", ["--workers", `${workers}`]);
  },
});

/** The same with a cache. */
export const cached: Client = {
  name: "siphon cached",
  settings: [],
  run: (image, load, times) => runSiphon(image, load, times, "writeback"),
};

/** fio's rbd engine as shipped. */
export const shipped: Client = {
  name: "librbd",
  settings: [],
  run: (image, load, times) => runFio(image, load, times, {}),
};

/** The same with this many messenger threads; the default is 3. */
export const librbdWith = (threads: number): Client => ({
  name: `librbd, ${threads} messenger ${threads === 1 ? "thread" : "threads"}`,
  settings: [`ms_async_op_threads = ${threads}`],
  run: shipped.run,
});

/** fio's rbd engine at its best here: another allocator, and one thread for librados. */
export const tuned: Client = {
  name: "librbd tuned",
  settings: ["librados_thread_count = 1"],
  run: (image, load, times) => runTuned(image, load, times, host),
};

/** The same with fio and librbd of a root, which has another release of Ceph. */
export async function tunedOf(root: Root): Promise<Client> {
  const { ceph } = await root.contents();
  return {
    name: `librbd ${ceph?.split(".").slice(0, 2).join(".") ?? root.name} tuned`,
    settings: tuned.settings,
    run: (image, load, times) => runTuned(image, load, times, root),
  };
}

async function runTuned(image: Image, load: Load, times: Times, platform: Platform): Promise<Sample> {
  const library = await allocatorLibrary("tcmalloc", platform);
  if (library === undefined) throw new Error(`${platform.name} has no tcmalloc`);
  return runFio(image, load, times, { LD_PRELOAD: library }, platform);
}

async function runSiphon(
  image: Image,
  load: Load,
  times: Times,
  cache: string,
  flags: readonly string[] = [],
): Promise<Sample> {
  const main = builtProgram();
  const pattern = load.rw.startsWith("rand") ? "rand" : "full-seq";
  const type = load.rw.endsWith("read") ? "read" : "write";
  const args = [
    ...[main, "rbd", "bench", `${image.pool}/${image.image}`, "-c", image.conf, "--id", image.user],
    ...["--io-type", type, "--io-pattern", pattern, "--io-size", `${load.blockSize}`, "--cache", cache],
    ...["--io-threads", `${load.depth}`, "--warmup", `${times.warmup}`, "--seconds", `${times.seconds}`],
    ...["--format", "json", ...flags],
  ];
  const { output, outside } = await observe(process.execPath, args, {}, times);
  const { ops_per_sec: iops, latency_us: latency } = JSON.parse(output.stdout) as {
    ops_per_sec: number;
    latency_us: { p50: number; p99: number; p999: number };
  };
  return sample({ iops, latency }, outside);
}

async function runFio(
  image: Image,
  load: Load,
  times: Times,
  env: Record<string, string>,
  platform: Platform = host,
): Promise<Sample> {
  const [program, ...args] = fioCommand({
    ...{ rw: load.rw, blockSize: load.blockSize, ioDepth: load.depth },
    ...{ warmupSeconds: times.warmup, seconds: times.seconds },
    image: { pool: image.pool, image: image.image, user: image.user },
  });
  // Runs as a thread of the observed process instead of in a separate process.
  const all = [...args, "--thread"];
  const { command, ...call } = platform.command(program!, all, { env: { ...env, CEPH_CONF: image.conf } });
  const { output, outside } = await observe(command, call.args, call.env, times);
  return sample(parseFio(output, { seconds: times.seconds }), outside);
}

function sample(
  {
    iops,
    latency: { p50, p99, p999 },
  }: { iops: number; latency: { p50: number; p99: number; p999: number } },
  { cpuShare, mebibytes, switchRate }: Outside,
): Sample {
  return { iops, cpu: (cpuShare * 1e6) / iops, p50, p99, p999, mebibytes, switches: switchRate / iops };
}

interface Outside {
  /** CPU seconds per second. */
  cpuShare: number;
  mebibytes: number;
  /** Context switches per second. */
  switchRate: number;
}

/**
 * Runs a program and samples its figures from the kernel. The measured span is the last one before the program ends,
 * without half a second at both ends; this leaves out starting, connecting and closing.
 */
async function observe(program: string, args: string[], env: Call["env"], times: Times) {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const looks: Look[] = [];
  const timer = setInterval(() => looks.push(look(child.pid!)), 50);
  child.once("exit", () => clearInterval(timer));
  const [exitCode] = (await once(child, "close")) as [number];
  const output = { exitCode, stdout: stdout.text, stderr: stderr.text };
  if (exitCode !== 0) throw new Error(`${program} ${args.join(" ")}: ${output.stderr || output.stdout}`);
  const end = looks.at(-1)!.at;
  const last = looks.findLast(({ at }) => at <= end - 500)!;
  const first = looks.find(({ at }) => at >= end - times.seconds * 1000 + 500)!;
  const seconds = (last.at - first.at) / 1000;
  const cpuShare = (last.cpu - first.cpu) / seconds;
  const switchRate = switchesBetween(first, last) / seconds;
  return { output, outside: { cpuShare, switchRate, mebibytes: last.mebibytes } };
}

interface Look {
  /** Milliseconds. */
  at: number;
  cpu: number;
  mebibytes: number;
  /** Context switches since it began, by thread. */
  switches: ReadonlyMap<string, number>;
}

function switchesBetween(first: Look, last: Look): number {
  let sum = 0;
  for (const [thread, count] of last.switches) sum += count - (first.switches.get(thread) ?? 0);
  return sum;
}

function switchesOf(pid: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      const status = readFileSync(`/proc/${pid}/task/${thread}/status`, "latin1");
      const switches = [...status.matchAll(/^(?:non)?voluntary_ctxt_switches:\s+(\d+)$/gm)];
      counts.set(
        thread,
        switches.reduce((sum, [, count]) => sum + Number(count), 0),
      );
    } catch {
      // It has ended in the meantime.
    }
  }
  return counts;
}

/** CPU seconds since the process began (fields 14 and 15 of /proc/PID/stat, 100 a second), and its largest size. */
function look(pid: number): Look {
  const at = performance.now();
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]!.split(" ");
  const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
  const cpu = (Number(fields[11]) + Number(fields[12])) / 100;
  return { at, cpu, mebibytes: Number(peak) / 1024, switches: switchesOf(pid) };
}

function collect(stream: NodeJS.ReadableStream): { text: string } {
  const collected = { text: "" };
  stream.on("data", (bytes: Buffer) => {
    collected.text += bytes;
  });
  return collected;
}
