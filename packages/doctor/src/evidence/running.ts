import { readFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DoctorError } from "../errors.ts";
import { factsFromMaps } from "../inputs/companions/host.ts";
import type { InputFile } from "../inputs/input.ts";
import { type QemuArguments, readArguments } from "../inputs/qemu/arguments.ts";
import { qemuVm } from "../inputs/qemu/vm.ts";
import type { Vm } from "../model/vm.ts";
import { applyBlockInfo, describeTraffic, trafficOf } from "./block-info.ts";
import { cgroupCpu } from "./cgroup.ts";
import { placementOf } from "./placement.ts";
import { type QemuProcess, qemuProcess, readLink, readProc } from "./proc.ts";
import { askQmp, qmpSockets } from "./qmp.ts";
import { isVcpu, sampleThreads, threadLoads } from "./threads.ts";

export interface WatchOptions {
  /** How long its threads and disks are watched; 0 looks once. */
  seconds: number;
  signal?: AbortSignal;
  /** Where processes are, for tests. */
  proc?: string;
}

/**
 * A running VM: what its command line says, and what only the process shows. What could not be seen is named in `unseen`.
 *
 * @throws DoctorError SIPHON_NO_PROCESS if there is no QEMU of that pid
 */
export async function runningVm(pid: number, options: WatchOptions): Promise<Vm> {
  const found = await qemuProcess(pid, options.proc);
  if (found === undefined) {
    throw new DoctorError("SIPHON_NO_PROCESS", `there is no QEMU process ${pid}`, {
      hint: "siphon doctor vm without a name lists those that have a disk on RBD",
    });
  }
  return watch(found, options);
}

/** The VM of a process that was found; it may end meanwhile, which is said. */
export async function watch(
  found: QemuProcess,
  { seconds, signal, proc = "/proc" }: WatchOptions,
): Promise<Vm> {
  const { pid, commandLine } = found;
  const input: InputFile = { name: `${proc}/${pid}/cmdline`, text: commandLine };
  const args = readArguments(input);
  const vm = qemuVm(input, await configsOf(args));
  vm.id ??= `pid ${pid}`;
  await Promise.all([
    addMaps(vm, pid, proc),
    addPlacement(vm, pid, proc),
    watchLoad(vm, pid, args, seconds, proc, signal),
  ]);
  return vm;
}

/** Whether a VM has a disk on RBD, as far as the command line shows; one that plugs its disks in over QMP may. */
export function mayUseRbd(found: QemuProcess): boolean {
  const text = found.commandLine;
  return /rbd/.test(text) || /-readconfig\0/.test(text);
}

async function configsOf({ options }: QemuArguments): Promise<InputFile[]> {
  const names = options.filter(({ name }) => name === "readconfig").map(({ value }) => value);
  const files = await Promise.all(
    names.map((name) =>
      readFile(name, "utf8").then(
        (text) => [{ name, text }],
        () => [],
      ),
    ),
  );
  return files.flat();
}

async function addMaps(vm: Vm, pid: number, proc: string): Promise<void> {
  const name = `${proc}/${pid}/maps`;
  const maps = await readProc(name, "the libraries that the process has mapped");
  if ("unseen" in maps) {
    vm.unseen.push(maps.unseen);
    return;
  }
  Object.assign(vm.host, factsFromMaps({ name, text: maps.value }));
  const rollup = await readProc(`${proc}/${pid}/smaps_rollup`, "huge pages");
  if ("value" in rollup && Number(/^Private_Hugetlb:\s+(\d+)/m.exec(rollup.value)?.[1] ?? 0) > 0)
    vm.hugepages = true;
}

async function addPlacement(vm: Vm, pid: number, proc: string): Promise<void> {
  const { sharedCores, split } = await placementOf(pid, proc);
  const place = { file: `${proc}/${pid}/task`, line: 1 };
  if (sharedCores !== undefined) vm.host.sharedCores = { value: sharedCores, place };
  if (split !== undefined) vm.numaSplit = { value: { words: split, guestOnly: false }, place };
}

/** Threads that leave no idle time, traffic of the disks, and how often a CPU limit was reached. */
async function watchLoad(
  vm: Vm,
  pid: number,
  args: QemuArguments,
  seconds: number,
  proc: string,
  signal?: AbortSignal,
): Promise<void> {
  const [before, limitBefore, blockBefore] = await Promise.all([
    sampleThreads(pid, proc),
    cgroupCpu(pid, proc),
    askBlock(vm, pid, args, proc, signal),
  ]);
  if (before === undefined) {
    vm.unseen.push("what its threads do: the process has ended");
    return;
  }
  addLimit(vm, limitBefore);
  if (seconds <= 0) return;
  const started = performance.now();
  await sleep(seconds * 1000, undefined, { signal });
  const [after, limitAfter, blockAfter] = await Promise.all([
    sampleThreads(pid, proc),
    cgroupCpu(pid, proc),
    blockBefore === undefined ? undefined : askBlock(vm, pid, args, proc, signal, true),
  ]);
  const elapsed = (performance.now() - started) / 1000;
  if (after === undefined || after.size === 0) {
    vm.unseen.push("what its threads do: the process ended while it was watched");
    return;
  }
  const loads = threadLoads(before, after, elapsed);
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
  if (blockBefore !== undefined && blockAfter !== undefined)
    vm.notes.push(...describeTraffic(blockBefore, blockAfter, elapsed));
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

/** QEMU's own answer about its disks, where a socket of its monitor is free. */
async function askBlock(
  vm: Vm,
  pid: number,
  args: QemuArguments,
  proc: string,
  signal?: AbortSignal,
  again = false,
) {
  const [named] = qmpSockets(args.options);
  // A relative path is relative to QEMU's directory, which only its user and root see.
  const path =
    named === undefined || isAbsolute(named)
      ? named
      : join((await readLink(`${proc}/${pid}/cwd`)) ?? ".", named);
  if (path === undefined) {
    const manager = vm.managedBy === "libvirt" || vm.managedBy === "openstack-nova";
    vm.unseen.push(
      manager
        ? 'what QEMU says of its disks: libvirt holds the monitor (virsh qemu-monitor-command DOMAIN --pretty \'{"execute":"query-block"}\')'
        : "what QEMU says of its disks: its command line names no QMP socket",
    );
    return undefined;
  }
  try {
    const answers = await askQmp(path, ["query-block", "query-blockstats"], 3000, signal);
    if (!again) applyBlockInfo(vm, answers.get("query-block"), path);
    return trafficOf(answers.get("query-blockstats"));
  } catch (error) {
    if (!again) vm.unseen.push(`what QEMU says of its disks (${path}): ${(error as Error).message}`);
    return undefined;
  }
}
