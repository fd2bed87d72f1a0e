import { setTimeout as sleep } from "node:timers/promises";
import type { Vm } from "../model/vm.ts";
import { describeTraffic } from "./block-info.ts";
import { cgroupCpu } from "./cgroup.ts";
import { askClients, describeClients } from "./librbd-clients.ts";
import type { Monitor } from "./monitor.ts";
import { isVcpu, sampleThreads, type ThreadLoad, threadLoads } from "./threads.ts";

/** Measures saturated threads, the disks' traffic, and how often a CPU limit was reached. */
export async function watchLoad(
  vm: Vm,
  pid: number,
  monitor: Promise<Monitor | undefined>,
  seconds: number,
  proc: string,
  signal?: AbortSignal,
): Promise<void> {
  const [before, limitBefore, qemu, clientsBefore] = await Promise.all([
    sampleThreads(pid, proc),
    cgroupCpu(pid, proc),
    monitor,
    askClients(vm, pid, proc, signal),
  ]);
  if (before === undefined) {
    vm.unseen.push("what its threads do: the process has ended");
    return;
  }
  addLimit(vm, limitBefore);
  if (seconds <= 0) return;
  const started = performance.now();
  await sleep(seconds * 1000, undefined, { signal });
  const [after, limitAfter, blockAfter, clientsAfter] = await Promise.all([
    sampleThreads(pid, proc),
    cgroupCpu(pid, proc),
    qemu?.traffic(),
    clientsBefore === undefined ? undefined : askClients(vm, pid, proc, signal, true),
  ]);
  const elapsed = (performance.now() - started) / 1000;
  if (after === undefined || after.size === 0) {
    vm.unseen.push("what its threads do: the process ended while it was watched");
    return;
  }
  const loads = named(threadLoads(before, after, elapsed), pid, qemu?.iothreads);
  const saturated = loads.filter(({ name, percent }) => !isVcpu(name) && percent >= 90);
  if (saturated.length > 0)
    vm.host.saturatedThreads = saturated.map(({ name, percent }) => ({ name, percent }));
  const busy = loads.filter(({ percent }) => percent >= 1).slice(0, 6);
  const words = busy.map(({ name, percent }) => `${name} ${Math.round(percent)} %`).join(", ");
  vm.notes.push(`In ${elapsed.toFixed(0)} s its threads used of a core each: ${words || "less than 1 %"}.`);
  if (limitBefore !== undefined && limitAfter !== undefined && limitAfter.throttled > limitBefore.throttled) {
    const periods = limitAfter.throttled - limitBefore.throttled;
    const place = { file: limitAfter.file ?? "cpu.stat", line: 1 };
    vm.host.throttled = { value: { periods, of: limitAfter.periods - limitBefore.periods }, place };
  }
  if (qemu !== undefined && blockAfter !== undefined)
    vm.notes.push(...describeTraffic(qemu.before, blockAfter, elapsed));
  if (clientsBefore !== undefined && clientsAfter !== undefined)
    vm.notes.push(...describeClients(clientsBefore, clientsAfter, elapsed));
}

/** A thread whose name is too long for the kernel has the program's name, like the main thread; QEMU's answer tells them apart. */
function named(
  loads: readonly ThreadLoad[],
  pid: number,
  iothreads: ReadonlyMap<number, string> = new Map(),
): ThreadLoad[] {
  return loads.map((load) => {
    const iothread = iothreads.get(load.tid);
    if (iothread !== undefined) return { ...load, name: `IO ${iothread}` };
    return load.tid === pid ? { ...load, name: `main thread (${load.name})` } : load;
  });
}

function addLimit(vm: Vm, limit: Awaited<ReturnType<typeof cgroupCpu>>): void {
  if (limit === undefined || limit.file === undefined || vm.vcpus === undefined || limit.cpus > vm.vcpus)
    return;
  const cpus = Math.round(limit.cpus * 100) / 100;
  vm.cpuLimit = {
    value: {
      words: `the control group allows ${cpus} CPUs for ${vm.vcpus} vCPUs`,
      below: limit.cpus < vm.vcpus,
    },
    place: { file: limit.file, line: 1 },
  };
}
