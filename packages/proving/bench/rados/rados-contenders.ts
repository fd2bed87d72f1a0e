import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import type { LoadOptions, LoadReport } from "./rados-client.ts";

/** The load of one run; `image` is librbd's image. */
export interface Load extends Omit<LoadOptions, "name" | "prefix"> {
  image: string;
}

export interface Sample {
  iops: number;
  /** CPU microseconds (user and system) of the whole client process per operation, measured from outside. */
  cpu: number;
  /** Resident bytes of the running client. */
  memory: number;
  /** Median latency in microseconds. */
  latency: number;
}

/** All use the same objects: those that fio's rados engine creates for this job name. */
export const objectPrefix = "siphon.0";

/** This client, in a separate process. */
export async function runSiphon(load: Load, { koffi = true } = {}): Promise<Sample> {
  const execArgv = koffi ? [] : ["--import", withoutKoffi];
  const client = fork(new URL("rados-client.ts", import.meta.url), { execArgv });
  const options: LoadOptions = { ...load, name: "client.admin", prefix: objectPrefix };
  const reports = listen(client);
  client.send(options);
  const begin = await reports("begin");
  const cpuBegin = cpuSeconds(client);
  const end = await reports("end");
  const cpu = cpuSeconds(client) - cpuBegin;
  const memory = residentBytes(client);
  const operations = end.operations - begin.operations;
  const { median } = await reports("done");
  await once(client, "exit");
  const iops = operations / ((end.at - begin.at) / 1000);
  return { iops, cpu: (cpu * 1e6) / operations, memory, latency: median };
}

/** librados or librbd under fio, as shipped or in the cheapest setup: tcmalloc, and one thread (in `conf`). */
export async function runFio(load: Load, engine: "rados" | "rbd", tuned: boolean): Promise<Sample> {
  const { conf, pool, image, rw, blockSize, depth, warmup, seconds, objects, objectSize } = load;
  const target =
    engine === "rados"
      ? [`--conf=${conf}`, `--nr_files=${objects}`, "--file_service_type=random", "--touch_objects=0"]
      : [`--rbdname=${image}`];
  const args = [
    ...[
      "--name=siphon",
      "--thread",
      `--ioengine=${engine}`,
      "--clientname=admin",
      `--pool=${pool}`,
      ...target,
    ],
    ...[`--rw=rand${rw}`, `--bs=${blockSize}`, `--iodepth=${depth}`, `--size=${objects * objectSize}`],
    ...["--norandommap", "--time_based", `--ramp_time=${warmup}`, `--runtime=${seconds}`],
    ...["--percentile_list=50", "--output-format=json"],
  ];
  const env = { ...process.env, CEPH_CONF: conf, ...(tuned && { LD_PRELOAD: tcmalloc }) };
  const fio = spawn("fio", args, { env, stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  fio.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const exited = once(fio, "exit");
  // fio starts a little late: the observed span lies inside the one that it measures.
  await sleep(warmup + 0.8);
  const [cpuBegin, begin] = [cpuSeconds(fio), performance.now()];
  await sleep(Math.max(0.5, seconds - 1));
  const cpu = (cpuSeconds(fio) - cpuBegin) / ((performance.now() - begin) / 1000);
  const memory = residentBytes(fio);
  await exited;
  const { iops, clat_ns: latency } = (JSON.parse(said.slice(said.indexOf("{"))) as FioOutput).jobs[0]![rw];
  if (iops === 0) throw new Error(`fio's ${engine} engine did nothing`);
  return { iops, cpu: (cpu * 1e6) / iops, memory, latency: latency.percentile["50.000000"]! / 1000 };
}

/** Milliseconds from a running interpreter to the first bytes of an object. */
export async function connectSiphon(load: Load): Promise<number> {
  const client = fork(new URL("rados-client.ts", import.meta.url));
  const reports = listen(client);
  client.send({
    ...load,
    name: "client.admin",
    prefix: objectPrefix,
    rw: "read",
    depth: 1,
    warmup: 0,
    seconds: 0,
  });
  const { milliseconds } = await reports("connected");
  await once(client, "exit");
  return milliseconds;
}

/** The same with librados, under Python. */
export async function connectLibrados({ conf, pool }: Load): Promise<number> {
  const script = `
import rados, sys, time
started = time.monotonic()
cluster = rados.Rados(conffile=sys.argv[1], name="client.admin")
cluster.connect()
cluster.open_ioctx(sys.argv[2]).read(sys.argv[3], 16384)
print((time.monotonic() - started) * 1000)
`;
  const args = ["-c", script, conf, pool, `${objectPrefix}.0`];
  const python = spawn("/usr/bin/python3", args, { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  python.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  await once(python, "close");
  return Number(said);
}

interface FioOutput {
  jobs: Record<"read" | "write", { iops: number; clat_ns: { percentile: Record<string, number> } }>[];
}

const tcmalloc = "/usr/lib/x86_64-linux-gnu/libtcmalloc.so.4";

/** Whether the C++ clients' cheapest setup is available. */
export const hasTcmalloc = existsSync(tcmalloc);

/** An import hook under which koffi is not installed. */
const withoutKoffi = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from "node:module";
  registerHooks({
    resolve(name, context, next) {
      if (name === "koffi") throw new Error("left out");
      return next(name, context);
    },
  });
`)}`;

type Phase = LoadReport["phase"];
type Of<P extends Phase> = LoadReport & { phase: P };

/** Yields a client's reports, phase by phase; a client that ends early is an error. */
function listen(client: ChildProcess): <P extends Phase>(phase: P) => Promise<Of<P>> {
  const reports = new Map<string, PromiseWithResolvers<LoadReport>>();
  const of = (phase: string) => {
    const known = reports.get(phase) ?? Promise.withResolvers<LoadReport>();
    reports.set(phase, known);
    return known;
  };
  client.on("message", (message) => of((message as LoadReport).phase).resolve(message as LoadReport));
  client.once("exit", (code) => {
    for (const { reject } of reports.values()) reject(new Error(`the client ended with exit code ${code}`));
  });
  return <P extends Phase>(phase: P) => of(phase).promise as Promise<Of<P>>;
}

/** CPU of all threads, in hundredths. Source: proc(5). */
function cpuSeconds({ pid }: ChildProcess): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function residentBytes({ pid }: ChildProcess): number {
  const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) * 1024;
}

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
