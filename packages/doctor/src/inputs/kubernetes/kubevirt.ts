import type { Bus, Disk, DiskKind } from "../../model/disk.ts";
import { machineOf } from "../../model/machine.ts";
import { emptyVm, type Vm } from "../../model/vm.ts";
import type { YamlValue } from "../yaml.ts";
import { assignIothreads } from "./iothreads.ts";
import { misplacedOptions } from "./misplaced.ts";
import { bytesOf, cpusOf, nameOf, ofKind } from "./objects.ts";
import { addRook } from "./rook.ts";
import { sourceOf } from "./volume-source.ts";

export const vmKinds = [
  "VirtualMachine",
  "VirtualMachineInstance",
  "VirtualMachineInstanceReplicaSet",
  "VirtualMachinePool",
];

/** A VM from a KubeVirt object and the claims and classes beside it. */
export function kubevirtVm(object: YamlValue, objects: readonly YamlValue[]): Vm {
  const spec = instanceSpec(object);
  const vm = emptyVm("kubevirt", object.place("metadata", "name"));
  vm.name = nameOf(object);
  const architecture = spec.text("architecture") ?? "amd64";
  vm.architecture = architecture === "amd64" ? "x86" : "other";
  const instancetype = shownKind(object, "instancetype", "Instancetype", objects);
  const preference = shownKind(object, "preference", "Preference", objects);
  setMachine(vm, spec, objects);
  setCpus(vm, object, spec, instancetype);
  const bus = defaultBus(object, architecture, preference);
  const devices = spec.at("domain", "devices");
  const disks = devices.list("disks");
  const named = new Set(disks.map((disk) => disk.text("name")));
  const multiQueue =
    devices.get("blockMultiQueue") ?? preference?.get("spec", "devices", "preferredBlockMultiQueue");
  vm.disks = disks.map((disk) => diskOf(disk, object, spec, bus, objects));
  // KubeVirt gives a volume that no disk names a disk on the default bus.
  for (const volume of spec.list("volumes")) {
    const name = volume.text("name") ?? "";
    if (
      named.has(name) ||
      !isDiskVolume(volume) ||
      devices.list("filesystems").some((each) => each.text("name") === name)
    )
      continue;
    vm.disks.push({
      ...diskOf(volume, object, spec, bus, objects),
      bus: { value: bus, place: volume.place("name") },
    });
  }
  const hidden = vm.disks.filter(({ kind, source }) => kind === "data" && source.hiddenClaim !== undefined);
  if (hidden.length > 0)
    vm.unseen.push(
      `whether ${hidden.map(({ name }) => name).join(", ")} ${hidden.length === 1 ? "is" : "are"} on RBD: the claims and their StorageClass say it (kubectl get vm,pvc,storageclass -o yaml)`,
    );
  assignIothreads(vm, spec, object, instancetype, multiQueue === true);
  misplacedOptions(vm, spec);
  addRook(vm, objects);
  return vm;
}

/** The instance's spec, inside the template of the object that creates instances. */
export function instanceSpec(object: YamlValue): YamlValue {
  const paths = [
    ["spec", "template", "spec"],
    ["spec", "virtualMachineTemplate", "spec", "template", "spec"],
    ["spec"],
  ];
  return object.at(...(paths.find((path) => object.get(...path, "domain") !== undefined) ?? ["spec"]));
}

/** The instancetype or preference that a VM names, if it is among the objects. */
function shownKind(
  object: YamlValue,
  field: string,
  kind: string,
  objects: readonly YamlValue[],
): YamlValue | undefined {
  const name = object.text("spec", field, "name");
  if (name === undefined) return undefined;
  return ofKind(objects, `VirtualMachine${kind}`, `VirtualMachineCluster${kind}`).find(
    (each) => nameOf(each) === name,
  );
}

function setMachine(vm: Vm, spec: YamlValue, objects: readonly YamlValue[]): void {
  const type = spec.text("domain", "machine", "type") ?? "";
  if (type !== "") vm.machine = { value: machineOf(type), place: spec.place("domain", "machine", "type") };
  const model = spec.text("domain", "cpu", "model");
  if (model !== undefined && vm.architecture === "x86")
    vm.cpu = { value: model, place: spec.place("domain", "cpu", "model") };
  const kubevirt = ofKind(objects, "KubeVirt")[0];
  const emulates = kubevirt?.get("spec", "configuration", "developerConfiguration", "useEmulation") === true;
  if (emulates) {
    vm.accelerator = {
      value: "tcg",
      place: kubevirt!.place("spec", "configuration", "developerConfiguration", "useEmulation"),
      why: "useEmulation: true lets KubeVirt emulate the guest's CPUs (TCG) on nodes without KVM.",
    };
  }
}

function setCpus(vm: Vm, object: YamlValue, spec: YamlValue, instancetype: YamlValue | undefined): void {
  const cpu = spec.at("domain", "cpu");
  const number = (key: string) => cpusOf(cpu.text(key));
  const resource = (kind: string) => cpusOf(spec.text("domain", "resources", kind, "cpu"));
  const limit = resource("limits");
  const hasTopology = ["cores", "sockets", "threads"].some((key) => number(key) !== undefined);
  const guest = cpusOf(instancetype?.text("spec", "cpu", "guest"));
  const fromResources = resource("requests") ?? limit;
  if (hasTopology) vm.vcpus = (number("cores") ?? 1) * (number("sockets") ?? 1) * (number("threads") ?? 1);
  else if (guest !== undefined) vm.vcpus = guest;
  else if (object.get("spec", "instancetype") === undefined) vm.vcpus = Math.ceil(fromResources ?? 1);
  const memory =
    spec.text("domain", "memory", "guest") ?? spec.text("domain", "resources", "requests", "memory");
  const bytes = bytesOf(memory);
  if (bytes !== undefined) vm.memory = { value: bytes, place: spec.place("domain", "memory", "guest") };
  vm.hugepages = spec.get("domain", "memory", "hugepages") !== undefined;
  if (limit === undefined || vm.vcpus === undefined || cpu.get("dedicatedCpuPlacement") === true) return;
  // The limit bounds the vCPUs that are derived from it; a lower request may reduce them.
  if (limit > vm.vcpus) return;
  vm.cpuLimit = {
    value: { words: `limits.cpu is ${limit} for ${vm.vcpus} vCPUs`, below: limit < vm.vcpus },
    place: spec.place("domain", "resources", "limits", "cpu"),
  };
}

/** SATA on amd64, virtio elsewhere. A preference that is not shown may override it; most say virtio. */
function defaultBus(object: YamlValue, architecture: string, preference: YamlValue | undefined): Bus {
  const preferred = preference?.text("spec", "devices", "preferredDiskBus");
  if (preferred !== undefined) return busOf(preferred);
  const isHidden = object.get("spec", "preference") !== undefined && preference === undefined;
  return architecture === "amd64" && !isHidden ? "sata" : "virtio-blk";
}

function busOf(name: string): Bus {
  const known: Record<string, Bus> = { virtio: "virtio-blk", scsi: "virtio-scsi", sata: "sata" };
  return Object.hasOwn(known, name) ? known[name]! : "other";
}

function isDiskVolume(volume: YamlValue): boolean {
  return !["configMap", "secret", "serviceAccount", "downwardAPI", "downwardMetrics", "memoryDump"].some(
    (kind) => volume.get(kind) !== undefined,
  );
}

function diskOf(
  disk: YamlValue,
  object: YamlValue,
  spec: YamlValue,
  defaultTo: Bus,
  objects: readonly YamlValue[],
): Disk {
  const name = disk.text("name") ?? "";
  const place = disk.place("name");
  const volume = spec.list("volumes").find((each) => each.text("name") === name);
  const isCdrom = disk.get("cdrom") !== undefined;
  const device = isCdrom ? "cdrom" : disk.get("lun") !== undefined ? "lun" : "disk";
  const isCloudInit =
    volume?.get("cloudInitNoCloud") !== undefined || volume?.get("cloudInitConfigDrive") !== undefined;
  const kind: DiskKind = isCdrom
    ? "cdrom"
    : isCloudInit
      ? "cloudinit"
      : volume !== undefined &&
          ["sysprep", "containerDisk", "emptyDisk", "hostDisk"].some((each) => volume.get(each) !== undefined)
        ? "other"
        : disk.get("floppy") !== undefined
          ? "other"
          : "data";
  const named = disk.text(device, "bus");
  const bus: Disk["bus"] = {
    value: named === undefined || named === "" ? defaultTo : busOf(named),
    place: disk.place(device, "bus"),
    ...(!named && {
      why: "A disk without bus gets SATA on amd64, an emulated AHCI controller with one queue of 32 requests.",
    }),
  };
  const mode = disk.text("cache");
  const written = mode !== undefined && mode !== "";
  const io = disk.text("io");
  const result: Disk = {
    name,
    place,
    kind,
    bus,
    source: sourceOf(volume, object, objects),
    cache: {
      direct: !written || mode === "none",
      noFlush: false,
      chosen: written ? "written" : "platform",
      ...(written && { mode }),
      place: disk.place("cache"),
    },
    // KubeVirt writes discard='unmap' on every disk whose claim is not thick.
    discard: { value: true, place },
  };
  if (io !== undefined && io !== "") result.aio = { value: io, place: disk.place("io"), chosen: "written" };
  return result;
}
