import type { Disk } from "../../model/disk.ts";
import type { Vm } from "../../model/vm.ts";
import { type ProxmoxConfig, properties, type Storage } from "./config.ts";
import { sourceOf } from "./source.ts";

/** Whether a configuration is a container's (/etc/pve/lxc/ID.conf). */
export function isContainer({ current }: ProxmoxConfig): boolean {
  return current.has("rootfs") || current.has("unprivileged");
}

/** Adds a container's file systems. Proxmox always maps them with the kernel client; the storage's krbd setting applies to VMs only. */
export function addContainer(
  vm: Vm,
  { current }: ProxmoxConfig,
  storages: ReadonlyMap<string, Storage>,
): void {
  vm.notes.push("This is a container: the kernel maps its disks, without QEMU.");
  for (const [name, setting] of current) {
    if (!/^(rootfs|mp\d+)$/.test(name)) continue;
    const { place, value } = setting;
    const source = sourceOf(properties(value, "volume").get("volume") ?? "", setting, storages);
    const driver = source.driver === "librbd" ? "krbd" : source.driver;
    const disk: Disk = {
      ...{ name, place, kind: "data" },
      bus: { value: "none", place },
      source: { ...source, driver },
    };
    vm.disks.push(disk);
  }
}
