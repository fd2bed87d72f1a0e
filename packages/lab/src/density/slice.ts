import { setTimeout as sleep } from "node:timers/promises";
import type { FioFigures } from "../fio/result.ts";
import { proportionalMemory } from "../host/memory.ts";
import type { CpuTimes } from "../host/proc.ts";
import { cpuUsed, type SliceTimes, timesOf } from "../ladder/slice.ts";
import type { StandingVm } from "../ladder/standing-vm.ts";
import type { Run } from "../results/schema.ts";

type Cpu = Run["cpu"]["client"];

/** The measurements of one slice of time, for VMs under load together. */
export interface DensitySlice {
  seconds: number;
  /** By VM. */
  vms: { ios: number; iops: number; latency: FioFigures["latency"] }[];
  client: Cpu;
  /** Undefined if they are not visible. */
  osds?: Cpu;
  /** Bytes of all their processes together. */
  memory: number;
  /** The output of each VM's fio. */
  outputs: string[];
}

/** Time until all VMs have connections and locks; fio's measurement begins later. */
const WARMUP_SECONDS = 0.5;

/** Resumes stopped VMs together for a slice of time; all others stay stopped. */
export async function measureTogether(
  vms: readonly StandingVm[],
  { seconds, settle }: SliceTimes,
  osdPids: readonly number[],
  signal: AbortSignal,
): Promise<DensitySlice> {
  const pids = [...new Set(vms.flatMap(({ vm }) => vm.pids))];
  await Promise.all(vms.map((vm) => vm.load({ warmupSeconds: WARMUP_SECONDS }, signal)));
  await Promise.all(vms.map((vm) => vm.resume(settle, signal)));
  const first = await read(vms, pids, osdPids);
  await sleep(seconds * 1000, undefined, { signal });
  const last = await read(vms, pids, osdPids, first);
  const memory = pids.reduce((bytes, pid) => bytes + (proportionalMemory(pid) ?? 0), 0);
  await Promise.all(vms.map((vm) => vm.pause()));
  const ended = await Promise.all(vms.map((vm) => vm.end(signal)));
  await Promise.all(vms.map((vm) => vm.pause()));
  return {
    seconds: (last.at - first.at) / 1000,
    vms: last.vms.map(({ ios, at }, index) => {
      const before = first.vms[index]!;
      const { figures } = ended[index]!;
      const done = ios - before.ios;
      return { ios: done, iops: (done * 1000) / (at - before.at), latency: figures.latency };
    }),
    client: cpuUsed(first.client, last.client),
    ...(osdPids.length > 0 && { osds: cpuUsed(first.osds, last.osds) }),
    memory,
    outputs: ended.map(({ output }) => output),
  };
}

/** Times are milliseconds of this process's clock. */
interface Reading {
  at: number;
  vms: { ios: number; at: number }[];
  client: CpuTimes[];
  osds: CpuTimes[];
}

async function read(
  vms: readonly StandingVm[],
  pids: readonly number[],
  osdPids: readonly number[],
  earlier?: Reading,
): Promise<Reading> {
  const done = await Promise.all(vms.map(async (vm) => ({ ios: await vm.iosDone(), at: performance.now() })));
  return {
    at: performance.now(),
    vms: done,
    client: timesOf(pids, earlier?.client),
    osds: timesOf(osdPids, earlier?.osds),
  };
}
