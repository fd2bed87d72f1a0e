import type { QemuOption } from "../inputs/qemu/arguments.ts";
import { isTree, textOf } from "../inputs/qemu/key-values.ts";
import type { Vm } from "../model/vm.ts";
import { applyBlockInfo, type Traffic, trafficOf } from "./block-info.ts";
import { pathOf } from "./proc.ts";
import { askQmp, qmpSockets } from "./qmp.ts";

/** QEMU's answers on its monitor. */
export interface Monitor {
  /** Ids of the I/O threads, by kernel thread id. */
  iothreads: ReadonlyMap<number, string>;
  /** The disks' counters when the monitor was first asked. */
  before: Traffic;
  /** Their counters now; undefined when it no longer answers. */
  traffic(): Promise<Traffic | undefined>;
}

/** Adds QEMU's own view of its disks to the model, or the reason why no monitor socket answers. */
export async function askMonitor(
  vm: Vm,
  pid: number,
  options: readonly QemuOption[],
  proc: string,
  signal?: AbortSignal,
): Promise<Monitor | undefined> {
  const [path] = qmpSockets(options);
  if (path === undefined) {
    const manager = vm.managedBy === "libvirt" || vm.managedBy === "openstack-nova";
    vm.unseen.push(
      manager
        ? 'what QEMU says about its disks: libvirt holds the monitor (virsh qemu-monitor-command DOMAIN --pretty \'{"execute":"query-block"}\')'
        : "what QEMU says about its disks: its command line names no QMP socket",
    );
    return undefined;
  }
  try {
    const queries = ["query-block", "query-blockstats", "query-iothreads"] as const;
    const socket = await pathOf(pid, path, proc);
    const answers = await askQmp(socket, queries, 3000, signal);
    applyBlockInfo(vm, answers.get("query-block"), path);
    return {
      iothreads: iothreadsOf(answers.get("query-iothreads")),
      before: trafficOf(answers.get("query-blockstats")),
      traffic: () =>
        askQmp(socket, ["query-blockstats"], 3000, signal).then(
          (now) => trafficOf(now.get("query-blockstats")),
          () => undefined,
        ),
    };
  } catch (error) {
    vm.unseen.push(`what QEMU says about its disks (${path}): ${(error as Error).message}`);
    return undefined;
  }
}

function iothreadsOf(answer: unknown): Map<number, string> {
  const threads = new Map<number, string>();
  for (const entry of Array.isArray(answer) ? answer : []) {
    const id = isTree(entry) ? textOf(entry, "id") : undefined;
    if (id !== undefined) threads.set(Number(textOf(entry, "thread-id")), id);
  }
  return threads;
}
