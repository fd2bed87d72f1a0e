import { setTimeout as sleep } from "node:timers/promises";
import { geometricMean } from "simple-statistics";
import { type HostTimes, hostTimes } from "../host/load.ts";
import { type CpuTimes, cpuBetween, cpuTimes } from "../host/proc.ts";
import { type HostSample, hostSensors } from "../host/sensors.ts";
import { calibrate } from "../load/calibration.ts";
import type { ProcessorDistance } from "../load/processor-distance.ts";
import type { Run } from "../results/schema.ts";
import type { StoodVm } from "./standing-vm.ts";

type Cpu = Run["cpu"]["client"];

/** The measurements of one slice of time. */
export interface SliceFigures {
  seconds: number;
  ios: number;
  client: Cpu;
  /** Undefined if they are not visible. */
  osds?: Cpu;
  /** Microseconds of a fixed piece of work, before and after. */
  calibration: number;
  /** Nanoseconds from one processor to another and back, before and after; missing where it was not seen. */
  distance?: number;
  /** Shares of all processors. */
  foreign: number;
  steal: number;
  /** The host's sensors, if available: see the schema. */
  mhz?: number;
  celsius?: number;
  throttled?: number;
  remote?: number;
}

/** Duration of a slice in seconds. */
export interface SliceTimes {
  /** Measured. */
  seconds: number;
  /** Warm-up: the queue fills again, and a write gets the image's lock. */
  settle: number;
}

/** Runs a VM for a slice of time, and measures it. All others are stopped. */
export async function measureSlice(
  standing: StoodVm,
  { seconds, settle }: SliceTimes,
  osdPids: readonly number[],
  signal: AbortSignal,
  distance?: Pick<ProcessorDistance, "measure">,
): Promise<SliceFigures> {
  const before = { calibration: calibrate(), distance: distance?.measure() };
  await standing.resume(settle, signal);
  const first = await read(standing, osdPids);
  await sleep(seconds * 1000, undefined, { signal });
  const last = await read(standing, osdPids, first);
  await standing.pause();
  const distances = [before.distance, distance?.measure()].filter((each) => each !== undefined);
  return {
    ...between(first, last),
    calibration: (before.calibration + calibrate()) / 2,
    // Far at the one end and near at the other is half of the way between, and what it does to figures is a share of them.
    ...(distances.length > 0 && { distance: geometricMean(distances) }),
  };
}

interface Reading {
  /** Milliseconds of the process's clock. */
  at: number;
  ios: number;
  client: CpuTimes[];
  osds: CpuTimes[];
  host: HostTimes;
  sensors: HostSample;
  /** CPU seconds of this process. */
  own: number;
}

async function read(standing: StoodVm, osdPids: readonly number[], earlier?: Reading): Promise<Reading> {
  const sensors = hostSensors().sample();
  const ios = await standing.iosDone();
  const at = performance.now();
  const { user, system } = process.cpuUsage();
  return {
    at,
    ios,
    client: timesOf(standing.vm.pids, earlier?.client),
    osds: timesOf(osdPids, earlier?.osds),
    ...{ host: hostTimes(), sensors },
    own: (user + system) / 1e6,
  };
}

function between(first: Reading, last: Reading): Omit<SliceFigures, "calibration" | "distance"> {
  const seconds = (last.at - first.at) / 1000;
  const [client, osds] = [cpuUsed(first.client, last.client), cpuUsed(first.osds, last.osds)];
  const known = client.user + client.system + osds.user + osds.system + last.own - first.own;
  const all = seconds * last.host.processors;
  return {
    seconds,
    ios: last.ios - first.ios,
    client,
    ...(last.osds.length > 0 && { osds }),
    foreign: Math.max(0, last.host.busy - first.host.busy - known) / all,
    steal: Math.max(0, last.host.stolen - first.host.stolen) / all,
    ...sensed(first.sensors, last.sensors),
  };
}

/** The difference of two readings of the sensors; undefined for one that disappeared. */
export function sensed(
  first: HostSample,
  last: HostSample,
): Pick<SliceFigures, "mhz" | "celsius" | "throttled" | "remote"> {
  const pages = first.pages && last.pages && { before: first.pages, after: last.pages };
  return {
    ...(first.mhz !== undefined && last.mhz !== undefined && { mhz: (first.mhz + last.mhz) / 2 }),
    ...(first.celsius !== undefined &&
      last.celsius !== undefined && { celsius: Math.max(first.celsius, last.celsius) }),
    ...(first.throttled !== undefined &&
      last.throttled !== undefined && { throttled: Math.max(0, last.throttled - first.throttled) }),
    ...(pages && { remote: remoteShare(pages) }),
  };
}

function remoteShare({
  before,
  after,
}: Record<"before" | "after", { local: number; remote: number }>): number {
  const remote = Math.max(0, after.remote - before.remote);
  const all = remote + Math.max(0, after.local - before.local);
  return all === 0 ? 0 : remote / all;
}

const nothing: Cpu = { user: 0, system: 0, threads: {} };

/** CPU times of processes; `earlier` is an earlier reading. */
export function timesOf(pids: readonly number[], earlier: CpuTimes[] | undefined): CpuTimes[] {
  return pids.flatMap((pid, index) => cpuTimes(pid, earlier?.[index]) ?? []);
}

/** Total CPU time of processes between two readings. */
export function cpuUsed(before: readonly CpuTimes[], after: readonly CpuTimes[]): Cpu {
  return after.map((times, index) => use(before[index]!, times)).reduce(sum, nothing);
}

function use(before: CpuTimes, after: CpuTimes): Cpu {
  const { user, system, threads } = cpuBetween(before, after);
  return { user, system, threads: Object.fromEntries(threads) };
}

/** CPU of both. */
export function sum(left: Cpu, right: Cpu): Cpu {
  const threads = { ...left.threads };
  for (const [name, seconds] of Object.entries(right.threads)) threads[name] = (threads[name] ?? 0) + seconds;
  return { user: left.user + right.user, system: left.system + right.system, threads };
}
