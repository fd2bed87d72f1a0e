import type { Bus, Disk, Source } from "../../model/disk.ts";
import { machineOf } from "../../model/machine.ts";
import type { Place } from "../../model/place.ts";
import { emptyVm, type Vm } from "../../model/vm.ts";
import type { InputFile } from "../input.ts";
import { isListing, readListing } from "./listing.ts";
import { type Attribute, attributeOf, readTemplate } from "./template.ts";

/**
 * A VM from an OpenNebula template, as its KVM driver passes it to libvirt (src/vmm/LibVirtDriverKVM.cc). The datastore decides whether
 * a disk is on RBD: a template shows this only once the VM is instantiated, or by names.
 */
export function opennebulaVm(input: InputFile): Vm {
  const template = isListing(input.text) ? readListing(input) : readTemplate(input);
  const start: Place = { file: input.name, line: 1 };
  const vm = emptyVm("opennebula", start);
  const text = (key: string) => attributeOf(template, key)?.value;
  const inside = (key: string, name: string) => attributeOf(attributeOf(template, key)?.inside ?? [], name);
  if (text("NAME") !== undefined) vm.name = text("NAME")!;
  vm.vcpus = Number(text("VCPU")) > 0 ? Number(text("VCPU")) : 1;
  const memory = attributeOf(template, "MEMORY");
  if (Number(memory?.value) > 0) vm.memory = { value: Number(memory!.value) * 2 ** 20, place: memory!.place };
  vm.architecture = /^(|x86_64|i686)$/.test(inside("OS", "ARCH")?.value ?? "") ? "x86" : "other";
  vm.accelerator = { value: "kvm", place: start };
  const machine = inside("OS", "MACHINE");
  if (vm.architecture === "x86") {
    vm.machine = {
      value: machineOf(machine?.value ?? "pc", machine === undefined),
      place: machine?.place ?? start,
    };
    const model = inside("CPU_MODEL", "MODEL");
    vm.cpu = { value: model?.value, place: model?.place ?? start };
  }
  vm.hugepages = inside("TOPOLOGY", "HUGEPAGE_SIZE") !== undefined;
  const threads = inside("FEATURES", "IOTHREADS");
  const queues = (bus: Bus) =>
    inside("FEATURES", bus === "virtio-scsi" ? "VIRTIO_SCSI_QUEUES" : "VIRTIO_BLK_QUEUES");
  const letters = new Map<string, number>();
  for (const attribute of template.filter(({ key }) => key === "DISK"))
    vm.disks.push(diskOf(attribute, vm, letters, threads, queues));
  const hidden = vm.disks.filter(({ kind, source }) => kind === "data" && source.driver === "other");
  if (hidden.length > 0)
    vm.unseen.push(
      `which datastore ${hidden.map(({ name }) => name).join(", ")} is in: a template does not say it; virsh dumpxml of the running VM does`,
    );
  return vm;
}

function diskOf(
  { inside, place }: Attribute,
  vm: Vm,
  letters: Map<string, number>,
  threads: Attribute | undefined,
  queuesFor: (bus: Bus) => Attribute | undefined,
): Disk {
  const text = (key: string) => attributeOf(inside, key)?.value;
  const placeOf = (key: string) => attributeOf(inside, key)?.place ?? place;
  const prefix = text("TARGET")?.slice(0, 2) ?? text("DEV_PREFIX") ?? "";
  const at = letters.get(prefix) ?? 0;
  letters.set(prefix, at + 1);
  const name =
    text("TARGET") ?? `${prefix || "disk"}${prefix === "" ? at : String.fromCharCode(97 + (at % 26))}`;
  const bus = busOf(prefix, vm);
  const cache = text("CACHE");
  const written = cache !== undefined && cache !== "default";
  const disk: Disk = {
    name,
    place,
    kind: /CDROM$/i.test(text("TYPE") ?? "") || /CDROM$/i.test(text("DISK_TYPE") ?? "") ? "cdrom" : "data",
    bus: { value: bus, place: placeOf(text("TARGET") === undefined ? "DEV_PREFIX" : "TARGET") },
    source: sourceOf(inside, place),
    iothread: iothreadOf(attributeOf(inside, "IOTHREAD"), threads, at, bus, place),
    cache: {
      direct: cache === "none" || cache === "directsync",
      noFlush: cache === "unsafe",
      ...(written && { mode: cache }),
      chosen: written ? "written" : "nobody",
      place: placeOf("CACHE"),
    },
    discard: { value: text("DISCARD") === "unmap", place: placeOf("DISCARD") },
  };
  if (/^yes$/i.test(text("READONLY") ?? "")) disk.readOnly = true;
  const io = text("IO");
  if (io !== undefined) disk.aio = { value: io, place: placeOf("IO"), chosen: "written" };
  const limits = inside.filter(
    ({ key, value }) => /_(BYTES|IOPS)_SEC(_MAX)?$/.test(key) && Number(value) > 0,
  );
  if (limits.length > 0)
    disk.throttle = {
      value: limits.map(({ key, value }) => `${key} ${value}`).join(", "),
      place: limits[0]!.place,
    };
  const queues = queuesFor(bus);
  if (bus === "virtio-scsi" || (bus === "virtio-blk" && queues !== undefined)) {
    const auto = queues?.value === "auto";
    // The driver adds a SCSI controller with one queue.
    const value = auto ? vm.vcpus! : Number(queues?.value) || 1;
    disk.queues = { value, explicit: queues !== undefined && !auto, place: queues?.place ?? place };
  }
  return disk;
}

function busOf(prefix: string, { machine }: Vm): Bus {
  if (prefix === "vd") return "virtio-blk";
  if (prefix === "sd") return "virtio-scsi";
  if (prefix !== "hd") return "none";
  return machine?.value.board === "q35" ? "sata" : "ide";
}

/** The datastore's facts: from the attributes that the driver adds to an instantiated VM, otherwise from names that contain Ceph. */
function sourceOf(inside: readonly Attribute[], place: Place): Source {
  const text = (key: string) => attributeOf(inside, key)?.value ?? "";
  const isRbd =
    /^rbd/i.test(text("DISK_TYPE")) ||
    /^rbd/i.test(text("TYPE")) ||
    /ceph/i.test(text("TM_MAD")) ||
    /ceph|rbd/i.test(text("DATASTORE")) ||
    text("CEPH_HOST") !== "";
  if (!isRbd) return { driver: "other", place };
  const [pool, image] = text("SOURCE").includes("/") ? text("SOURCE").split("/", 2) : [text("POOL_NAME"), ""];
  const user = attributeOf(inside, "CEPH_USER");
  const hosts = attributeOf(inside, "CEPH_HOST");
  const monitors = hosts?.value.split(/\s+/).filter(Boolean) ?? [];
  return {
    driver: "librbd",
    place,
    pool: pool ?? "",
    ...(image !== "" && image !== undefined && { image }),
    ...(user !== undefined && { user: { value: user.value, place: user.place } }),
    ...(hosts !== undefined && { monitors: { value: monitors, place: hosts.place } }),
  };
}

/** The thread that the disk names, otherwise the next one in turn. */
function iothreadOf(
  own: Attribute | undefined,
  threads: Attribute | undefined,
  at: number,
  bus: Bus,
  place: Place,
): NonNullable<Disk["iothread"]> {
  const count = Number(threads?.value);
  if (bus !== "virtio-blk" && bus !== "virtio-scsi") return { state: "unsettable", place };
  if (!(count > 0)) return { state: "none", place: threads?.place ?? place };
  return {
    state: "used",
    thread: own?.value ?? String((at % count) + 1),
    place: own?.place ?? threads!.place,
  };
}
