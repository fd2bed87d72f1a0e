import type { Bus, Disk, DiskKind, Iothread } from "../../model/disk.ts";
import { hasSingleQueues } from "../../model/machine.ts";
import type { Fact } from "../../model/place.ts";
import type { Vm } from "../../model/vm.ts";
import { isOn, type ProxmoxConfig, properties, type Setting, type Storage } from "./config.ts";
import { sourceOf } from "./source.ts";

/** The disks of a Proxmox configuration, with their names there. */
export function disksOf({ current }: ProxmoxConfig, storages: ReadonlyMap<string, Storage>, vm: Vm): Disk[] {
  const template = isOn(current.get("template")?.value);
  return [...current].flatMap(([name, setting]) => {
    const match = /^(ide|sata|scsi|virtio|efidisk|tpmstate)\d+$/.exec(name);
    if (match === null) return [];
    const options = properties(setting.value, "file");
    const file = options.get("file") ?? options.get("volume") ?? "none";
    if (file === "none" && options.get("media") === "cdrom") return [];
    const disk = diskOf(name, match[1]!, file, options, setting, current, storages, vm);
    if (template) disk.template = true;
    return [disk];
  });
}

function diskOf(
  name: string,
  kindOfBus: string,
  file: string,
  options: ReadonlyMap<string, string>,
  setting: Setting,
  current: ReadonlyMap<string, Setting>,
  storages: ReadonlyMap<string, Storage>,
  vm: Vm,
): Disk {
  const { place } = setting;
  const source = sourceOf(file, setting, storages);
  const kind: DiskKind = kindOfDisk(kindOfBus, file, options);
  const scsihw = current.get("scsihw");
  const controller = properties(scsihw?.value ?? "lsi", "model").get("model") ?? "lsi";
  const bus = busOf(kindOfBus, controller, scsihw, place);
  const disk: Disk = {
    name,
    place,
    kind,
    bus,
    source,
    iothread: iothreadOf(kindOfBus, controller, options, scsihw, setting),
    cache: cacheOf(options.get("cache"), setting),
    discard: { value: ["on", "1"].includes(options.get("discard") ?? ""), place },
    written: setting.value,
  };
  const base = /(?:^|:)(base-\d+-disk-\d+)\/vm-/.exec(file)?.[1];
  if (base !== undefined && source.driver !== "other") disk.image = { place, parent: base };
  if (isOn(options.get("ro"))) disk.readOnly = true;
  if (kind === "efivars") disk.efivarsCached = cachesEfivars(vm);
  const aio = options.get("aio");
  if (aio !== undefined) disk.aio = { value: aio, place, chosen: "written" };
  const format = options.get("format");
  if (format !== undefined && format !== "raw") disk.format = { value: format, place };
  if (isOn(options.get("detect_zeroes"))) disk.detectZeroes = { value: "on", place };
  const throttle = limitsOf(options, setting);
  if (throttle !== undefined) disk.throttle = throttle;
  const queues = queuesOf(kindOfBus, controller, options, setting, vm);
  if (queues !== undefined) disk.queues = queues;
  const misplaced = properties(scsihw?.value ?? "", "model").get("iothread");
  if (misplaced !== undefined && kindOfBus === "scsi") {
    const option = {
      option: `iothread=${misplaced} on scsihw`,
      why: "scsihw accepts only a model.",
      belongs: `iothread=1 on ${name}`,
    };
    disk.misplaced = [{ value: option, place: scsihw!.place }];
  }
  return disk;
}

function kindOfDisk(bus: string, file: string, options: ReadonlyMap<string, string>): DiskKind {
  if (bus === "efidisk") return "efivars";
  if (bus === "tpmstate") return "other";
  if (/-cloudinit(\.|$)/.test(file) || file === "cloudinit" || file.endsWith(":cloudinit"))
    return "cloudinit";
  return options.get("media") === "cdrom" ? "cdrom" : "data";
}

function busOf(
  kind: string,
  controller: string,
  scsihw: Setting | undefined,
  place: Disk["place"],
): Disk["bus"] {
  const known: Record<string, Bus> = { ide: "ide", sata: "sata", virtio: "virtio-blk" };
  if (kind !== "scsi") return { value: known[kind] ?? "none", place };
  const at = scsihw?.place ?? place;
  if (controller.startsWith("virtio-scsi")) return { value: "virtio-scsi", place: at };
  if (!controller.startsWith("lsi")) return { value: "other", place: at };
  return {
    value: "lsi",
    place: at,
    ...(scsihw === undefined && {
      why: "There is no scsihw line, so Proxmox uses its default controller, the emulated LSI 53C895A.",
    }),
  };
}

/** iothread=1 takes effect on virtio disks, and on SCSI disks with one controller each (QemuServer.pm). */
function iothreadOf(
  kind: string,
  controller: string,
  options: ReadonlyMap<string, string>,
  scsihw: Setting | undefined,
  { place }: Setting,
): Iothread {
  const wanted = isOn(options.get("iothread"));
  if (kind === "virtio") return { state: wanted ? "used" : "none", place };
  if (kind !== "scsi") return { state: "unsettable", place };
  if (controller === "virtio-scsi-single") return { state: wanted ? "used" : "none", place };
  if (wanted) {
    const has =
      scsihw === undefined ? "There is no scsihw line, so Proxmox uses lsi" : `scsihw is ${controller}`;
    return {
      state: "ignored",
      place,
      why: `${has}: Proxmox takes iothread=1 of a SCSI disk with virtio-scsi-single only, and warns.`,
    };
  }
  return { state: controller.startsWith("virtio-scsi") ? "none" : "unsettable", place };
}

function cacheOf(mode: string | undefined, { place }: Setting): Disk["cache"] {
  const direct = mode === undefined || mode === "none" || mode === "directsync";
  return {
    direct,
    noFlush: mode === "unsafe",
    chosen: mode === undefined ? "platform" : "written",
    place,
    ...(mode !== undefined && { mode }),
  };
}

/** queues= becomes num_queues with virtio-scsi-single only. */
function queuesOf(
  kind: string,
  controller: string,
  options: ReadonlyMap<string, string>,
  { place }: Setting,
  vm: Vm,
): Disk["queues"] {
  const number = Number(options.get("queues"));
  if (kind === "scsi" && controller === "virtio-scsi-single" && Number.isInteger(number) && number > 0)
    return { value: number, explicit: true, place };
  const isVirtio = kind === "virtio" || (kind === "scsi" && controller.startsWith("virtio-scsi"));
  return isVirtio && vm.machine !== undefined && hasSingleQueues(vm.machine.value)
    ? { value: 1, explicit: false, place: vm.machine.place }
    : undefined;
}

function limitsOf(options: ReadonlyMap<string, string>, { place }: Setting): Fact<string> | undefined {
  const limits = [...options].filter(
    ([key, value]) => /^(mbps|iops|bps)(_(rd|wr))?(_max)?$/.test(key) && Number(value) > 0,
  );
  return limits.length === 0
    ? undefined
    : { value: limits.map(([key, value]) => `${key} ${value}`).join(", "), place };
}

/** Since 7.0-7 qemu-server sets a cache policy that keeps EFI variables on RBD cached (bug 3329). */
function cachesEfivars({ host: { qemuServer } }: Vm): boolean {
  if (qemuServer === undefined) return true;
  const [major = 0, minor = 0, revision = 0] = qemuServer;
  return major > 7 || (major === 7 && (minor > 0 || revision >= 7));
}
