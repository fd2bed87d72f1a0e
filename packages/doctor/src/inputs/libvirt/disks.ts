import type { Bus, Disk, DiskKind, Iothread, Source } from "../../model/disk.ts";
import { hasSingleQueues } from "../../model/machine.ts";
import type { Vm } from "../../model/vm.ts";
import { blockDeviceDriver, imageOfDevice } from "../device-path.ts";
import { looksLikeRbd } from "../looks-like-rbd.ts";
import { isSeedImage } from "../seed-image.ts";
import type { Element } from "../xml.ts";
import { applyCommandLine, applyOverrides } from "./command-line.ts";
import { limitsOf } from "./limits.ts";

/**
 * Adds the disks of a domain, named by their targets, and an EFI variable store that is a network disk; then applies
 * `<qemu:commandline>`.
 */
export function addDisks(
  vm: Vm,
  domain: Element,
  hasLsi: boolean,
  pools: ReadonlyMap<string, Element>,
): void {
  const devices = domain.find("devices");
  const controllers = devices?.all("controller") ?? [];
  const aliases = new Map<Disk, string>();
  for (const element of devices?.all("disk") ?? []) {
    const disk = diskOf(domain, element, controllers, vm, hasLsi, pools);
    vm.disks.push(disk);
    aliases.set(disk, aliasOf(element, disk, controllers));
  }
  const nvram = domain.find("os", "nvram");
  if (nvram?.find("source") !== undefined) vm.disks.push(nvramDisk(nvram));
  applyCommandLine(vm, domain, aliases);
  applyOverrides(vm, domain, aliases);
}

/** libvirt's alias of the device that owns a disk's thread and queues: virtio-disk1 for vdb, the controller for a SCSI disk. */
function aliasOf(element: Element, { name, bus }: Disk, controllers: readonly Element[]): string {
  const own = (each: Element | undefined) => each?.find("alias")?.attribute("name");
  if (bus.value !== "virtio-scsi") return own(element) ?? `virtio-disk${(name.codePointAt(2) ?? 97) - 97}`;
  const controller = controllerOf(element, controllers);
  return own(controller) ?? `scsi${controller?.attribute("index") ?? 0}`;
}

function controllerOf(element: Element, controllers: readonly Element[]): Element | undefined {
  const index = element.find("address")?.attribute("controller") ?? "0";
  return controllers.find(
    (each) => each.attribute("type") === "scsi" && (each.attribute("index") ?? "0") === index,
  );
}

function diskOf(
  domain: Element,
  element: Element,
  controllers: readonly Element[],
  vm: Vm,
  hasLsi: boolean,
  pools: ReadonlyMap<string, Element>,
): Disk {
  const target = element.find("target");
  const driver = element.find("driver");
  const name = target?.attribute("dev") ?? "";
  const device = element.attribute("device") ?? "disk";
  const source = sourceOf(element, pools);
  const kind = kindOf(device, source);
  const controller = controllerOf(element, controllers);
  const type = domain.find("os", "type");
  const bus = busOf(target, element, controller, hasLsi, /^pseries/.test(type?.attribute("machine") ?? ""));
  const worker = bus.value === "virtio-scsi" ? controller?.find("driver") : driver;
  const at = driver ?? element;
  const mode = driver?.attribute("cache");
  const io = driver?.attribute("io");
  const detectZeroes = driver?.attribute("detect_zeroes");
  const format = driver?.attribute("type");
  const disk: Disk = {
    name,
    place: element.place,
    kind,
    bus,
    source,
    iothread: iothreadOf(bus.value, driver, worker, controller ?? element),
    cache: cacheOf(mode, at),
    discard: { value: driver?.attribute("discard") === "unmap", place: at.place },
  };
  if (io !== undefined) disk.aio = { value: io, place: at.placeOf("io"), chosen: "written" };
  if (detectZeroes === "on" || detectZeroes === "unmap")
    disk.detectZeroes = { value: detectZeroes, place: at.placeOf("detect_zeroes") };
  if (format !== undefined && format !== "raw") disk.format = { value: format, place: at.placeOf("type") };
  const throttle = limitsOf(domain, element, disk);
  if (throttle !== undefined) disk.throttle = throttle;
  if (element.find("readonly") !== undefined) disk.readOnly = true;
  const isCcw = /^s390/.test(type?.attribute("arch") ?? "");
  const queues = queuesOf(bus.value, worker, vm, at, isCcw);
  if (queues !== undefined) disk.queues = queues;
  return disk;
}

function kindOf(device: string, { image }: Source): DiskKind {
  if (device === "cdrom") return "cdrom";
  if (device === "floppy") return "other";
  return isSeedImage(image) ? "cloudinit" : "data";
}

/** The EFI variable store on a network disk. */
function nvramDisk(nvram: Element): Disk {
  const driver = nvram.find("driver");
  return {
    name: nvram.find("target")?.attribute("dev") ?? "nvram",
    place: nvram.place,
    kind: "efivars",
    bus: { value: "none", place: nvram.place },
    source: sourceOf(nvram, new Map()),
    cache: cacheOf(driver?.attribute("cache"), driver ?? nvram),
  };
}

function cacheOf(mode: string | undefined, at: Element): Disk["cache"] {
  const written = mode !== undefined && mode !== "default";
  return {
    direct: mode === "none" || mode === "directsync",
    noFlush: mode === "unsafe",
    ...(written && { mode }),
    chosen: written ? "written" : "nobody",
    place: written ? at.placeOf("cache") : at.place,
  };
}

function busOf(
  target: Element | undefined,
  element: Element,
  controller: Element | undefined,
  hasLsi: boolean,
  isPower: boolean,
): Disk["bus"] {
  const place = target?.place ?? element.place;
  const named = target?.attribute("bus") ?? busOfTarget(target?.attribute("dev") ?? "");
  if (named !== "scsi") {
    const known: Record<string, Bus> = { virtio: "virtio-blk", ide: "ide", sata: "sata" };
    return { value: Object.hasOwn(known, named) ? known[named]! : "other", place };
  }
  const model = controller?.attribute("model");
  const at = controller?.place ?? place;
  if (model === undefined || model === "auto") {
    // qemuDomainDefaultSCSIControllerModel(): POWER machines have their own adapter.
    if (isPower) return { value: "other", place: at };
    return hasLsi
      ? {
          value: "lsi",
          place: at,
          why: "bus='scsi' without a controller model: libvirt uses the emulated lsi53c895a if this QEMU has it.",
        }
      : { value: "virtio-scsi", place: at };
  }
  if (model.startsWith("virtio")) return { value: "virtio-scsi", place: at };
  return { value: /^lsi(logic)?$/.test(model) ? "lsi" : "other", place: at };
}

/** libvirt derives the bus from the target's name if the element has none. */
function busOfTarget(name: string): string {
  if (name.startsWith("vd")) return "virtio";
  if (name.startsWith("sd")) return "scsi";
  return name.startsWith("hd") ? "ide" : "other";
}

function iothreadOf(
  bus: Bus,
  driver: Element | undefined,
  worker: Element | undefined,
  at: Element,
): Iothread {
  const place = (worker ?? at).place;
  if (bus !== "virtio-blk" && bus !== "virtio-scsi") {
    return driver?.attribute("iothread") === undefined
      ? { state: "unsettable", place }
      : { state: "ignored", place, why: "iothread= on a disk applies only to virtio disks." };
  }
  if (worker?.find("iothreads") !== undefined) return { state: "mapped", place };
  const thread = worker?.attribute("iothread");
  if (thread !== undefined) return { state: "used", thread, place };
  if (bus === "virtio-scsi" && driver?.attribute("iothread") !== undefined) {
    return {
      state: "ignored",
      place: driver.placeOf("iothread"),
      why: "iothread= of a SCSI disk belongs in the <driver> of its virtio-scsi controller.",
    };
  }
  return { state: "none", place };
}

/** @param isCcw channel (CCW) devices have one queue with every machine type */
function queuesOf(
  bus: Bus,
  worker: Element | undefined,
  vm: Vm,
  at: Element,
  isCcw: boolean,
): Disk["queues"] {
  if (bus !== "virtio-blk" && bus !== "virtio-scsi") return undefined;
  const number = Number(worker?.attribute("queues"));
  if (worker !== undefined && Number.isInteger(number) && number > 0)
    return { value: number, explicit: true, place: worker.placeOf("queues") };
  const machine = vm.machine;
  return machine !== undefined && hasSingleQueues(machine.value) && !isCcw
    ? { value: 1, explicit: false, place: (worker ?? at).place }
    : undefined;
}

function sourceOf(element: Element, pools: ReadonlyMap<string, Element>): Source {
  const source = element.find("source");
  const place = source?.place ?? element.place;
  if (source === undefined) return { driver: "other", place };
  if (source.attribute("protocol") === "rbd") return rbdSource(element, source);
  const pool = pools.get(source.attribute("pool") ?? "");
  if (pool !== undefined) {
    if (pool.attribute("type") !== "rbd") return { driver: "other", place };
    const auth = pool.find("source", "auth");
    return {
      driver: "librbd",
      place,
      pool: pool.find("source", "name")?.text ?? "",
      image: source.attribute("volume") ?? "",
      ...(auth === undefined
        ? { authNone: place }
        : { user: { value: auth.attribute("username") ?? "", place: auth.place } }),
      ...monitorsOf(pool.find("source")!),
    };
  }
  const named = source.attribute("pool");
  if (named !== undefined && looksLikeRbd(named))
    return { driver: "librbd", place, pool: named, image: source.attribute("volume") ?? "" };
  const path = source.attribute("dev") ?? source.attribute("file");
  const driver = blockDeviceDriver(path);
  return { driver, place, ...(path !== undefined && { path, ...imageOfDevice(path) }) };
}

function rbdSource(element: Element, source: Element): Source {
  const auth = source.find("auth") ?? element.find("auth");
  const steps = (source.attribute("name") ?? "").split("/");
  const [pool, ...rest] = steps;
  const image = rest.pop();
  const conf = source.find("config")?.attribute("file");
  return {
    driver: "librbd",
    place: source.place,
    pool: pool ?? "",
    ...(rest.length > 0 && { namespace: rest.join("/") }),
    ...(image !== undefined && { image }),
    ...(conf !== undefined && { conf }),
    ...(auth === undefined
      ? { authNone: source.place }
      : { user: { value: auth.attribute("username") ?? "", place: auth.placeOf("username") } }),
    ...monitorsOf(source),
  };
}

function monitorsOf(source: Element): Pick<Source, "monitors"> {
  const hosts = source.all("host").flatMap((host) => host.attribute("name") ?? []);
  return hosts.length === 0
    ? {}
    : { monitors: { value: [...new Set(hosts)], place: source.all("host")[0]!.place } };
}
