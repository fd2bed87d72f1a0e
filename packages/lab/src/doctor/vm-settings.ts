import type { Disk, Vm } from "@siphon/doctor";
import { LabError } from "../errors.ts";
import { qemuDefaults, type VmSettings } from "../vm/settings.ts";

/** Settings with which the lab starts a copy of a VM, and the differences from the VM's own. */
export interface MeasurableVm {
  settings: VmSettings;
  cpus: number;
  /** The differences from the VM's own settings, in sentences. */
  notes: string[];
}

/** Client options that affect librbd's speed; the target provides those that locate the cluster. */
const isClientOption = /^(rbd|librados|objecter|rados_ops|ms_async|ms_client_mode|ms_crc)/;

/**
 * The lab's settings for an examined VM with one of its disks.
 *
 * @param cores of this machine: the upper limit of vCPUs
 * @throws LabError SIPHON_USAGE for a disk that no librbd serves
 */
export function vmSettingsOf(vm: Vm, disk: Disk, cores: number): MeasurableVm {
  if (disk.source.driver !== "librbd") {
    throw new LabError("SIPHON_USAGE", `${disk.name} is not served by librbd: there is nothing to measure`, {
      hint: "siphon baseline compares librbd with the kernel's client",
    });
  }
  const notes: string[] = [];
  const cpus = Math.max(1, Math.min(vm.vcpus ?? 2, cores));
  if (vm.vcpus !== undefined && cpus < vm.vcpus)
    notes.push(`The VM that was measured has ${cpus} vCPUs, as many as this machine, not ${vm.vcpus}.`);
  const device = deviceOf(disk, notes);
  const virtio = device !== "ide";
  const { state } = disk.iothread ?? { state: "none" };
  const allocator = vm.host.allocator?.value ?? "libc";
  if (disk.cache?.noFlush === true)
    notes.push("Flushes were honoured during the measurement, unlike with cache=unsafe.");
  if (disk.throttle !== undefined) notes.push(`It was measured without its limit (${disk.throttle.value}).`);
  const settings: VmSettings = {
    ...qemuDefaults,
    machine: vm.machine?.value.board === "q35" ? "q35" : "pc",
    device,
    iothread: virtio && (state === "used" || state === "mapped"),
    cache: disk.cache?.direct === false ? "default" : "none",
    allocator,
    clientOptions: clientOptionsOf(vm, disk),
    ...(virtio && disk.queues !== undefined && { queues: Math.min(disk.queues.value, 64) }),
  };
  return { settings, cpus, notes };
}

function deviceOf({ name, bus: { value } }: Disk, notes: string[]): VmSettings["device"] {
  if (value === "virtio-blk" || value === "virtio-scsi" || value === "ide") return value;
  if (value === "none" || value === "other") {
    notes.push(`The bus of ${name} is unknown: it was measured on virtio-blk.`);
    return "virtio-blk";
  }
  const bus = value === "sata" ? "SATA" : "the LSI controller";
  notes.push(`The test guest has no driver for ${bus}: emulated IDE was measured instead.`);
  return "ide";
}

function clientOptionsOf({ settings }: Vm, { source }: Disk): Record<string, string> {
  const options: Record<string, string> = {};
  // QEMU sets librbd's cache itself.
  for (const [name, { value }] of source.options ?? [])
    if (isClientOption.test(name) && name !== "rbd_cache") options[name] = value;
  if (settings.secure !== undefined) options.ms_client_mode = "secure";
  return options;
}
