import { readFile } from "node:fs/promises";
import { DoctorError } from "../errors.ts";
import { readArguments } from "../inputs/qemu/arguments.ts";
import { keyValues, textOf } from "../inputs/qemu/key-values.ts";
import { proxmoxId } from "../inputs/qemu/proxmox-id.ts";
import { isRbd } from "../model/disk.ts";
import type { Vm } from "../model/vm.ts";
import { type QemuProcess, qemuProcesses } from "./proc.ts";
import { mayUseRbd, runningVm, type WatchOptions, watch } from "./running.ts";

/** Watches all VMs of this host that have a disk on RBD, all at the same time. */
export async function vmsOfHost(options: WatchOptions): Promise<Vm[]> {
  const processes = await qemuProcesses(options.proc);
  const vms = await Promise.all(
    processes.map(async (process) =>
      (await mayUseRbd(process, options.proc)) ? [await watch(process, options)] : [],
    ),
  );
  return vms.flat().filter(({ disks }) => disks.some(isRbd));
}

/**
 * Watches a VM of this host, found by its pid, its libvirt domain's name or its Proxmox id.
 *
 * @throws DoctorError SIPHON_NO_PROCESS if no QEMU process matches
 */
export async function vmOfHost(name: string, options: WatchOptions): Promise<Vm> {
  const processes = await qemuProcesses(options.proc);
  const found =
    processes.find((process) => isNamed(process, name)) ?? processes.find(({ pid }) => String(pid) === name);
  if (found !== undefined) return watch(found, options);
  if (/^\d+$/.test(name)) {
    const exists = await readFile(`${options.proc ?? "/proc"}/${name}/comm`, "utf8").catch(() => undefined);
    if (exists !== undefined) return runningVm(Number(name), options);
  }
  throw new DoctorError(
    "SIPHON_NO_PROCESS",
    `no QEMU process on this host is ${name}: neither its pid, its name nor its id`,
    {
      hint: "if you meant a file, the path is wrong; for a VM that is off, give its configuration (virsh dumpxml, qm config)",
    },
  );
}

/** Whether a process runs the VM of that name (`-name guest=...`) or Proxmox id (`-id`). */
function isNamed({ commandLine, pid }: QemuProcess, name: string): boolean {
  const { options } = readArguments({ name: `/proc/${pid}/cmdline`, text: commandLine });
  const given = options.find((option) => option.name === "name")?.value ?? "";
  return textOf(keyValues(given, "guest"), "guest") === name || proxmoxId(options) === name;
}
