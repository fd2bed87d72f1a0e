import { machineOf } from "../../model/machine.ts";
import type { Place } from "../../model/place.ts";
import { emptyVm, type Vm } from "../../model/vm.ts";
import { noteEnvironment } from "../ceph/elsewhere.ts";
import { noteHiddenDevices } from "../hidden-devices.ts";
import type { InputFile } from "../input.ts";
import { machineSetting, type QemuCommand, readCommand } from "./command.ts";
import { disksOf } from "./disks.ts";
import { flagOf, keyValues, listOf, textOf } from "./key-values.ts";
import { proxmoxId } from "./proxmox-id.ts";

/**
 * A VM from a QEMU command line.
 *
 * @param configs files that its -readconfig may name
 * @throws DoctorError SIPHON_BAD_INPUT if no word is a QEMU program
 */
export function qemuVm(input: InputFile, configs: readonly InputFile[] = []): Vm {
  const command = readCommand(input, configs);
  const place: Place = { file: input.name, line: command.options[0]?.place.line ?? 1 };
  const vm = emptyVm("qemu", place);
  const name = nameOf(command);
  if (name !== undefined) vm.name = name;
  const manager = managerOf(command, name);
  if (manager !== undefined) vm.managedBy = manager;
  if (manager === "proxmox") {
    const id = proxmoxId(command.options);
    if (id !== undefined) vm.id = id;
  }
  vm.architecture = /qemu-system-(?!x86_64|i386)/.test(command.program) ? "other" : "x86";
  setMachine(vm, command);
  setAccelerator(vm, command);
  setCpu(vm, command);
  setMemory(vm, command);
  setSockets(vm, command, place);
  vm.disks = disksOf(command, vm.machine?.value ?? machineOf("none"), manager === "proxmox");
  noteHiddenDevices(vm);
  noteEnvironment(vm, command.environment, place);
  for (const disk of vm.disks) if (disk.bus.place.file === "") disk.bus.place = disk.place;
  for (const { name: option, value } of command.broken) {
    // Proxmox's own file defines only PCI bridges.
    if (option === "readconfig" && value.startsWith("/usr/share/qemu-server/")) continue;
    vm.unseen.push(
      option === "readconfig"
        ? `the content of ${value}: -readconfig names it, but it is not in the input`
        : `one -${option}: its argument is not valid JSON`,
    );
  }
  return vm;
}

function nameOf(command: QemuCommand): string | undefined {
  const tree = keyValues(command.single.get("name")?.value ?? "", "guest");
  return textOf(tree, "guest");
}

/** The system that wrote the command line, recognised by text that no other writes. */
function managerOf(command: QemuCommand, name: string | undefined): string | undefined {
  const has = (option: string, pattern: RegExp) =>
    command.options.some(({ name: each, value }) => each === option && pattern.test(value));
  if (
    has("machine", /\+pve\d/) ||
    has("chardev", /\/var\/run\/qemu-server\//) ||
    has("pidfile", /qemu-server/)
  )
    return "proxmox";
  if (command.single.has("id") && /(^|\/)kvm$/.test(command.program)) return "proxmox";
  if (command.options.some(({ value }) => value.includes("/ganeti/"))) return "ganeti";
  if (has("readconfig", /\/(incus|lxd)\//) || has("name", /^(incus|lxd)-/)) return "incus";
  if (has("smbios", /KubeVirt/)) return "kubevirt";
  if (/^instance-[0-9a-f]{8}$/.test(name ?? "") || has("smbios", /OpenStack/)) return "openstack-nova";
  if (/^one-\d+$/.test(name ?? "")) return "opennebula";
  if (has("smbios", /oVirt|RHEV/)) return "ovirt";
  const isLibvirt =
    has("object", /masterKey0/) ||
    has("name", /^guest=/) ||
    has("chardev", /\/libvirt\/qemu\//) ||
    has("drive", /id=drive-(virtio|scsi|ide|sata)/) ||
    has("blockdev", /libvirt-\d+-/);
  return isLibvirt ? "libvirt" : undefined;
}

function setMachine(vm: Vm, command: QemuCommand): void {
  const type = machineSetting(command, "type");
  const at = command.machine.at(-1)?.place ?? vm.place;
  if (type !== undefined) {
    vm.machine = { value: machineOf(type.value), place: { ...type.place, path: "-machine" } };
  } else if (vm.architecture === "x86") vm.machine = { value: machineOf("pc", true), place: at };
}

/** Without -accel a program whose name ends in kvm tries KVM first, any other uses TCG (system/vl.c, configure_accelerators()). */
function setAccelerator(vm: Vm, command: QemuCommand): void {
  const named = machineSetting(command, "accel");
  const first = command.accelerators[0];
  const name = first?.name ?? named?.value.split(":")[0];
  if (name !== undefined) {
    const place = first?.place ?? named!.place;
    vm.accelerator = { value: name === "kvm" ? "kvm" : name === "tcg" ? "tcg" : "other", place };
    return;
  }
  const isKvm = /kvm(-spice)?(\.real)?$/.test(command.program) && !command.single.has("no-kvm");
  vm.accelerator = isKvm
    ? { value: "kvm", place: vm.place }
    : {
        value: "tcg",
        place: vm.place,
        why: `No -accel, -machine accel= or -enable-kvm is given, so ${baseName(command.program)} emulates the guest's CPUs (TCG).`,
      };
}

function setCpu(vm: Vm, command: QemuCommand): void {
  if (vm.architecture !== "x86") return;
  const option = command.single.get("cpu");
  if (option === undefined) vm.cpu = { value: undefined, place: vm.place };
  else vm.cpu = { value: option.value.split(",")[0]!, place: option.place };
}

function setMemory(vm: Vm, command: QemuCommand): void {
  const option = command.single.get("m");
  const backends = command.objects.filter(({ tree }) =>
    /^memory-backend-/.test(textOf(tree, "qom-type") ?? ""),
  );
  const text = option === undefined ? undefined : textOf(keyValues(option.value, "size"), "size");
  const bytes = sizeOf(text, 2 ** 20);
  if (option !== undefined && bytes !== undefined) vm.memory = { value: bytes, place: option.place };
  vm.hugepages =
    /huge/.test(command.single.get("mem-path")?.value ?? "") ||
    backends.some(
      ({ tree }) => flagOf(tree, "hugetlb") === true || /huge/.test(textOf(tree, "mem-path") ?? ""),
    );
}

function setSockets(vm: Vm, command: QemuCommand, place: Place): void {
  const option = command.single.get("smp");
  const tree = keyValues(option?.value ?? "", "cpus");
  const number = (key: string) => Number(textOf(tree, key)) || undefined;
  const product = ["drawers", "books", "sockets", "dies", "clusters", "modules", "cores", "threads"].reduce(
    (all, level) => all * (number(level) ?? 1),
    1,
  );
  vm.vcpus = number("cpus") ?? number("maxcpus") ?? product;
  const most = number("maxcpus") ?? 0;
  if (most > vm.vcpus) vm.maximumVcpus = most;
  const nodes = command.numaNodes.filter(({ tree: node }) => textOf(node, "type") === "node");
  if (vm.managedBy === "proxmox" && (number("sockets") ?? 1) >= 2 && nodes.length === 0) {
    vm.numaSplit = {
      value: {
        words: `${number("sockets")} virtual sockets and no NUMA node for the guest`,
        guestOnly: true,
      },
      place: option?.place ?? place,
    };
  }
  // A guest with at most one NUMA node whose memory comes from several nodes of the host.
  const spread = command.objects.find(({ tree: object }) => {
    const hosts = listOf(object, "host-nodes") ?? [];
    const range = textOf(object, "host-nodes");
    return hosts.length > 1 || (range !== undefined && /[-,]/.test(range));
  });
  if (spread !== undefined && nodes.length <= 1) {
    vm.numaSplit = {
      value: { words: "its memory comes from several nodes of the host", guestOnly: false },
      place: spread.place,
    };
  }
}

/** Parses `4096`, `4G`, `512M` into bytes; `unit` is the size in bytes that a bare number counts. */
export function sizeOf(text: string | undefined, unit: number): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([bkmgtpe]?)(i?b)?$/i.exec(text?.trim() ?? "");
  if (match === null) return undefined;
  const power = ["b", "k", "m", "g", "t", "p", "e"].indexOf(match[2]!.toLowerCase());
  return Number(match[1]) * (match[2] === "" ? unit : 1024 ** power);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
