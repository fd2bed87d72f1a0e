import { readFile } from "node:fs/promises";
import { DoctorError } from "../errors.ts";
import { noteEnvironment } from "../inputs/ceph/elsewhere.ts";
import { factsFromMaps } from "../inputs/companions/host.ts";
import type { InputFile } from "../inputs/input.ts";
import { type QemuArguments, readArguments } from "../inputs/qemu/arguments.ts";
import { qemuVm } from "../inputs/qemu/vm.ts";
import type { Vm } from "../model/vm.ts";
import { agentSocket, guestSchedulers } from "./guest-agent.ts";
import { librbdFiles } from "./librbd.ts";
import { watchLoad } from "./load.ts";
import { askMonitor, type Monitor } from "./monitor.ts";
import { readNamed } from "./named-file.ts";
import { placementOf } from "./placement.ts";
import { identityOf, pathOf, type QemuProcess, qemuProcess, readProc } from "./proc.ts";

export interface WatchOptions {
  /** Seconds to watch threads and disks; 0 looks once. */
  seconds: number;
  signal?: AbortSignal;
  /** Path of procfs; tests pass another one. */
  proc?: string;
}

/**
 * A running VM: what its command line says, and what only the process shows. Facts that cannot be seen are listed in `unseen`.
 *
 * @throws DoctorError SIPHON_NO_PROCESS if no QEMU process has that pid
 */
export async function runningVm(pid: number, options: WatchOptions): Promise<Vm> {
  const found = await qemuProcess(pid, options.proc);
  if (found === undefined) {
    const program = await readFile(`${options.proc ?? "/proc"}/${pid}/comm`, "utf8").catch(() => "");
    const what = program.trim() === "" ? "has ended" : `is ${program.trim()}, no QEMU`;
    throw new DoctorError("SIPHON_NO_PROCESS", `process ${pid} ${what}`, {
      hint: "siphon doctor vm without a name lists the processes that have a disk on RBD",
    });
  }
  return watch(found, options);
}

/** Watches the VM of a process; a VM that ends meanwhile gets a note. */
export async function watch(
  found: QemuProcess,
  { seconds, signal, proc = "/proc" }: WatchOptions,
): Promise<Vm> {
  const { pid, commandLine } = found;
  const input: InputFile = { name: `${proc}/${pid}/cmdline`, text: commandLine };
  const args = readArguments(input);
  const configs = await configsOf(pid, args, proc);
  const described = () => {
    const vm = qemuVm(input, configs);
    vm.pid = pid;
    return vm;
  };
  const vm = described();
  const before = await identityOf(pid, proc);
  const monitor = askMonitor(vm, pid, args.options, proc, signal);
  await Promise.all([
    addMaps(vm, pid, proc),
    addEnvironment(vm, pid, proc),
    addPlacement(vm, pid, monitor, proc),
    addGuest(vm, pid, args, proc, signal),
    watchLoad(vm, pid, monitor, seconds, proc, signal),
  ]);
  const after = await identityOf(pid, proc);
  if (after === undefined || (after === before && before?.endsWith(` ${commandLine}`))) return vm;
  // Another program has the pid now (after exec or reuse): the evidence may come from either.
  const replaced = described();
  replaced.unseen.push(
    `what only the running process shows: another program took the place of process ${pid} while it was watched; look again`,
  );
  return replaced;
}

/** Whether a VM has a disk on RBD: on its command line, or hot-plugged, which shows as a loaded librbd. */
export async function mayUseRbd({ commandLine, pid }: QemuProcess, proc = "/proc"): Promise<boolean> {
  if (/rbd/.test(commandLine) || /-readconfig\0/.test(commandLine)) return true;
  const maps = await readProc(`${proc}/${pid}/maps`, "");
  return "value" in maps && /\/librbd\.so/.test(maps.value);
}

/** Files that cannot be read, or are no configurations, are skipped. */
async function configsOf(pid: number, { options }: QemuArguments, proc: string): Promise<InputFile[]> {
  const names = options.filter(({ name }) => name === "readconfig").map(({ value }) => value);
  const files = await Promise.all(
    names.map(async (name) =>
      readNamed(await pathOf(pid, name, proc)).then(
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
  const { release, installed } = await librbdFiles(pid, maps.value, proc);
  if (release !== undefined) vm.host.cephRelease = release;
  if (installed !== undefined) vm.host.installedLibrbd = installed;
  const rollup = await readProc(`${proc}/${pid}/smaps_rollup`, "huge pages");
  if ("value" in rollup && Number(/^Private_Hugetlb:\s+(\d+)/m.exec(rollup.value)?.[1] ?? 0) > 0)
    vm.hugepages = true;
}

/** Adds the variables that librados reads, without any key in CEPH_ARGS. */
async function addEnvironment(vm: Vm, pid: number, proc: string): Promise<void> {
  const name = `${proc}/${pid}/environ`;
  const environment = await readProc(name, "whether CEPH_ARGS is set for it");
  if ("unseen" in environment) {
    vm.unseen.push(environment.unseen);
    return;
  }
  const variables = environment.value.split("\0").flatMap((each) => {
    const at = each.indexOf("=");
    return at > 0 ? [[each.slice(0, at), each.slice(at + 1)] as const] : [];
  });
  noteEnvironment(vm, new Map(variables), { file: name, line: 1 });
}

async function addPlacement(
  vm: Vm,
  pid: number,
  monitor: Promise<Monitor | undefined>,
  proc: string,
): Promise<void> {
  const { sharedCores, split } = await placementOf(pid, (await monitor)?.iothreads, proc);
  const place = { file: `${proc}/${pid}/task`, line: 1 };
  if (sharedCores !== undefined) vm.host.sharedCores = { value: sharedCores, place };
  if (split !== undefined) vm.numaSplit = { value: { words: split, guestOnly: false }, place };
}

/** Adds the guest agent's answers, if the host can reach it. */
async function addGuest(
  vm: Vm,
  pid: number,
  { options }: QemuArguments,
  proc: string,
  signal?: AbortSignal,
): Promise<void> {
  const path = agentSocket(options);
  if (path === undefined) {
    vm.unseen.push(
      options.some(({ name, value }) => name === "device" && value.includes("org.qemu.guest_agent.0"))
        ? "the guest's I/O scheduler: the VM's manager holds the agent's channel (cat /sys/block/*/queue/scheduler in the guest)"
        : "the guest's I/O scheduler: the VM has no channel for a guest agent (cat /sys/block/*/queue/scheduler in the guest)",
    );
    return;
  }
  try {
    const schedulers = await guestSchedulers(await pathOf(pid, path, proc), 5000, signal);
    if (schedulers.size > 0)
      vm.guestSchedulers = { value: schedulers, place: { file: `guest agent ${path}`, line: 1 } };
  } catch (error) {
    vm.unseen.push(`the guest's I/O scheduler (${path}): ${(error as Error).message}`);
  }
}
