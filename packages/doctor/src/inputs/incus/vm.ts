import type { Bus, Disk, DiskKind, Source } from "../../model/disk.ts";
import { emptyVm, type Vm } from "../../model/vm.ts";
import { bytesOf } from "../kubernetes/objects.ts";
import { looksLikeRbd } from "../looks-like-rbd.ts";
import type { YamlValue } from "../yaml.ts";

/** A VM from an instance of Incus or LXD (`incus config show --expanded`) and the storage pools among the inputs. */
export function incusVm(instance: YamlValue, pools: readonly YamlValue[]): Vm {
  const vm = emptyVm("incus", instance.place());
  const name = instance.text("name");
  if (name !== undefined) vm.name = name;
  const architecture = instance.text("architecture") ?? "x86_64";
  vm.architecture = /^(x86_64|i686)$/.test(architecture) ? "x86" : "other";
  // `incus list --format yaml` has the instance's own settings and, separately, the expanded ones.
  const [configs, devices] =
    instance.keys("expanded_devices").length > 0
      ? ["expanded_config", "expanded_devices"]
      : ["config", "devices"];
  const config = (key: string) => instance.text(configs, key);
  const cpus = config("limits.cpu");
  if (cpus !== undefined && /^\d+$/.test(cpus)) vm.vcpus = Number(cpus);
  const memory = memoryOf(config("limits.memory"));
  if (memory !== undefined) vm.memory = { value: memory, place: instance.place(configs, "limits.memory") };
  vm.hugepages = config("limits.memory.hugepages") === "true";
  const isVm = instance.text("type") !== "container";
  if (!isVm) vm.notes.push("This is a container: the kernel maps its disks, without QEMU.");
  noteHiddenPools(
    vm,
    instance
      .keys(devices)
      .map((device) => instance.at(devices, device))
      .filter((device) => device.text("type") === "disk"),
    pools,
  );
  for (const device of instance.keys(devices)) {
    const entry = instance.at(devices, device);
    if (entry.text("type") !== "disk") continue;
    vm.disks.push(diskOf(device, entry, pools, isVm));
  }
  return vm;
}

function diskOf(name: string, entry: YamlValue, pools: readonly YamlValue[], isVm: boolean): Disk {
  const place = entry.place();
  const source = entry.text("source") ?? "";
  const path = entry.text("path");
  const kind: DiskKind = /^(cloud-init|agent):config$/.test(source)
    ? "cloudinit"
    : source.endsWith(".iso")
      ? "cdrom"
      : "data";
  // A volume with a path is a file system that the host mounts and shares with the guest.
  const isShared = path !== undefined && path !== "/" && source !== "";
  const mode = entry.text("io.cache");
  const written = mode !== undefined && mode !== "";
  const inRbd = sourceOf(entry, pools);
  const driver: Source["driver"] = inRbd === undefined ? "other" : isVm && !isShared ? "librbd" : "krbd";
  const buses: Record<string, Bus> = { nvme: "other", "virtio-blk": "virtio-blk", usb: "other" };
  const bus = entry.text("io.bus") ?? "virtio-scsi";
  const disk: Disk = {
    name,
    place,
    kind,
    bus: { value: isVm && !isShared ? (buses[bus] ?? "virtio-scsi") : "none", place: entry.place("io.bus") },
    source: { ...inRbd, driver, place: inRbd?.place ?? place },
    iothread: { state: "unsettable", place },
    // Incus opens RBD disks with writeback, other disks with O_DIRECT where that works (driver_qemu.go, addDriveConfig()).
    cache: {
      direct: written ? mode === "none" : driver !== "librbd",
      noFlush: mode === "unsafe",
      mode: written ? mode : driver === "librbd" ? "writeback" : "none",
      chosen: written ? "written" : "platform",
      place: entry.place("io.cache"),
    },
    discard: { value: true, place },
  };
  if (entry.text("readonly") === "true") disk.readOnly = true;
  const limits = ["limits.read", "limits.write", "limits.max"].filter((key) => entry.text(key) !== undefined);
  if (limits.length > 0) {
    const words = limits.map((key) => `${key} ${entry.text(key)}`).join(", ");
    disk.throttle = { value: words, place: entry.place(limits[0]!) };
  }
  return disk;
}

function sourceOf(entry: YamlValue, pools: readonly YamlValue[]): Omit<Source, "driver"> | undefined {
  const source = entry.text("source") ?? "";
  const place = entry.place();
  const direct = /^ceph:([^/]+)\/(.+)$/.exec(source);
  if (direct !== null) {
    const user = entry.text("ceph.user_name") ?? "admin";
    return {
      place,
      pool: direct[1]!,
      image: direct[2]!,
      user: { value: user, place: entry.place("ceph.user_name") },
    };
  }
  const name = entry.text("pool");
  if (name === undefined) return undefined;
  const pool = pools.find((each) => each.text("name") === name);
  if (pool === undefined) return looksLikeRbd(name) ? { place, pool: name } : undefined;
  if (pool.text("driver") !== "ceph") return undefined;
  const user = pool.text("config", "ceph.user.name") ?? "admin";
  return {
    place,
    pool: pool.text("config", "ceph.osd.pool_name") ?? name,
    user: { value: user, place: pool.place("config", "ceph.user.name") },
  };
}

/** Notes pools that no input describes. */
function noteHiddenPools(vm: Vm, devices: readonly YamlValue[], pools: readonly YamlValue[]): void {
  const names = devices.flatMap((device) => device.text("pool") ?? []);
  for (const name of new Set(names))
    if (!pools.some((pool) => pool.text("name") === name))
      vm.unseen.push(
        `the storage pool ${name} (incus storage show ${name}): whether it is RBD is guessed from its name`,
      );
}

function memoryOf(text: string | undefined): number | undefined {
  const match = /^(\d+)\s*([KMGT]i?)?B?$/.exec(text ?? "");
  return match === null ? undefined : bytesOf(`${match[1]}${(match[2] ?? "").replace(/^K$/, "k")}`);
}
