import { DoctorError } from "../../errors.ts";
import { isRedHat, machineOf } from "../../model/machine.ts";
import { emptyVm, type Platform, type Vm } from "../../model/vm.ts";
import { noteHiddenDevices } from "../hidden-devices.ts";
import type { InputFile } from "../input.ts";
import { sizeOf } from "../qemu/vm.ts";
import { type Element, readXml, xmlAlone } from "../xml.ts";
import { addDisks } from "./disks.ts";

/**
 * A VM from a libvirt domain: alone, in a status file of libvirtd, or in a snapshot.
 *
 * @param pools pools of libvirt's storage driver among the inputs, by name
 * @throws DoctorError SIPHON_BAD_INPUT for a truncated document
 */
export function libvirtVm(input: InputFile, pools: ReadonlyMap<string, Element> = new Map()): Vm {
  if (isFragment(input)) return fragmentVm(input, pools);
  const root = readXml(input);
  const domain = root.name === "domain" ? root : (root.find("domain") ?? root);
  const kind = domain.attribute("type") ?? "kvm";
  if (!/^(kvm|qemu|hvf)$/.test(kind))
    throw new DoctorError(
      "SIPHON_UNKNOWN_FORMAT",
      `${input.name} describes a domain of type ${kind}, which runs in no QEMU of its own`,
      {
        hint: "the doctor reads domains of type kvm and qemu",
      },
    );
  const manager = managerOf(domain);
  const platform: Platform = manager === "opennebula" ? "opennebula" : "libvirt";
  const vm = emptyVm(platform, domain.place);
  if (manager !== undefined && platform === "libvirt") vm.managedBy = manager;
  vm.name = domain.find("name")?.text ?? "";
  setMachine(vm, domain);
  setCpu(vm, domain);
  setMemory(vm, domain);
  setLimits(vm, domain);
  addDisks(vm, domain, hasLsi(domain, vm), pools);
  setHiddenPools(vm, domain, pools);
  noteHiddenDevices(vm);
  setUnusedIothreads(vm, domain);
  return vm;
}

function isFragment({ text }: InputFile): boolean {
  return /^\s*(<\?xml[^>]*\?>\s*)?(<!--[\s\S]*?-->\s*)*<disk[\s>]/.test(xmlAlone(text));
}

/** A VM from `<disk>` elements alone, as tickets quote them: nothing is known about the domain. */
function fragmentVm({ name, text }: InputFile, pools: ReadonlyMap<string, Element>): Vm {
  const domain = readXml({ name, text: `<domain><devices>${xmlAlone(text)}</devices></domain>` });
  const vm = emptyVm("libvirt", { file: name, line: 1 });
  addDisks(vm, domain, false, pools);
  for (const disk of vm.disks)
    if (disk.bus.value === "virtio-scsi") disk.iothread = { state: "unsettable", place: disk.place };
  vm.unseen.push("the domain that has the disks (virsh dumpxml): its machine, CPUs, controllers and threads");
  return vm;
}

function managerOf(domain: Element): string | undefined {
  const name = domain.find("name")?.text ?? "";
  const system = (domain.find("sysinfo", "system")?.all("entry") ?? []).map(({ text }) => text).join(" ");
  const emulator = domain.find("devices", "emulator")?.text ?? "";
  const metadata = (domain.find("metadata")?.node.children ?? [])
    .map((child) => ("name" in child ? child.name : ""))
    .join(" ");
  const says = (pattern: RegExp) => pattern.test(system) || pattern.test(metadata);
  if (/^one-\d+$/.test(name) || /qemu-kvm-one/.test(emulator) || /\bone:/.test(metadata)) return "opennebula";
  if (/^(r|v|s|i)-\d+(-\d+)?-(VM|\w+)$/.test(name) || says(/CloudStack/)) return "cloudstack";
  if (/^instance-[0-9a-f]{8}$/.test(name) || says(/OpenStack|nova:/)) return "openstack-nova";
  if (says(/oVirt|ovirt/)) return "ovirt";
  if (says(/KubeVirt|kubevirt/)) return "kubevirt";
  return undefined;
}

function setMachine(vm: Vm, domain: Element): void {
  const type = domain.find("os", "type");
  const arch =
    type?.attribute("arch") ?? (/aarch64|arm|ppc|s390|riscv/.test(emulatorOf(domain)) ? "other" : "x86_64");
  vm.architecture = /^(x86_64|i686)$/.test(arch) ? "x86" : "other";
  const machine = type?.attribute("machine");
  if (machine !== undefined) vm.machine = { value: machineOf(machine), place: type!.placeOf("machine") };
  else if (vm.architecture === "x86")
    vm.machine = { value: machineOf("pc", true), place: type?.place ?? domain.place };
  const kind = domain.attribute("type") ?? "kvm";
  vm.accelerator = {
    value: kind === "kvm" ? "kvm" : kind === "qemu" ? "tcg" : "other",
    place: domain.placeOf("type"),
    ...(kind === "qemu" && {
      why: "<domain type='qemu'> emulates the guest's CPUs (TCG); type='kvm' runs them on the processor.",
    }),
  };
}

function setCpu(vm: Vm, domain: Element): void {
  if (vm.architecture !== "x86") return;
  const cpu = domain.find("cpu");
  const model = cpu?.find("model");
  const mode = cpu?.attribute("mode");
  if (mode !== undefined && mode !== "custom") vm.cpu = { value: mode, place: cpu!.place };
  else vm.cpu = { value: model?.text || undefined, place: (model ?? cpu ?? domain).place };
}

function setMemory(vm: Vm, domain: Element): void {
  const vcpu = domain.find("vcpu");
  const current = Number(vcpu?.attribute("current"));
  const count = Number(vcpu?.text);
  if (vcpu === undefined) vm.vcpus = 1;
  else if (current > 0) vm.vcpus = current;
  else if (count > 0) vm.vcpus = count;
  if (count > (vm.vcpus ?? count)) vm.maximumVcpus = count;
  const memory = domain.find("memory");
  const bytes = sizeOf(`${memory?.text ?? ""}${unitOf(memory)}`, 1024);
  if (memory !== undefined && bytes !== undefined) vm.memory = { value: bytes, place: memory.place };
  vm.hugepages = domain.find("memoryBacking", "hugepages") !== undefined;
}

function unitOf(memory: Element | undefined): string {
  const unit = memory?.attribute("unit") ?? "KiB";
  return unit === "bytes" || unit === "b" ? "b" : unit.replace(/i?B$/, "");
}

/** Sets CPU quotas, and the binding of memory to the host's NUMA nodes. */
function setLimits(vm: Vm, domain: Element): void {
  const tune = domain.find("cputune");
  const number = (name: string) => Number(tune?.find(name)?.text ?? Number.NaN);
  const period = number("period") > 0 ? number("period") : 100_000;
  const quota = number("quota");
  const whole = number("global_quota");
  const wholePeriod = number("global_period") > 0 ? number("global_period") : 100_000;
  if (quota > 0 && quota < period) {
    vm.cpuLimit = {
      value: { words: `each vCPU may run ${quota} of ${period} µs`, below: true },
      place: tune!.find("quota")!.place,
    };
  } else if (whole > 0 && whole <= (vm.vcpus ?? 1) * wholePeriod) {
    vm.cpuLimit = {
      value: {
        words: `the whole VM may use ${round(whole / wholePeriod)} CPUs, for ${vm.vcpus} vCPUs`,
        below: whole < (vm.vcpus ?? 1) * wholePeriod,
      },
      place: tune!.find("global_quota")!.place,
    };
  } else {
    for (const name of ["iothread", "emulator"]) {
      const limit = number(`${name}_quota`);
      const each = number(`${name}_period`) > 0 ? number(`${name}_period`) : 100_000;
      if (limit > 0 && limit < each)
        vm.cpuLimit = {
          value: { words: `${name} threads may run ${limit} of ${each} µs`, below: true },
          place: tune!.find(`${name}_quota`)!.place,
        };
    }
  }
  const memory = domain.find("numatune", "memory");
  const nodes = memory?.attribute("nodeset") ?? "";
  const cells = domain.find("cpu", "numa")?.all("cell").length ?? 0;
  if (/[-,]/.test(nodes) && !nodes.includes("^") && cells <= 1) {
    vm.numaSplit = {
      value: {
        words: `memory comes from the host's nodes ${nodes}, and the guest sees one node`,
        guestOnly: false,
      },
      place: memory!.place,
    };
  }
}

/** libvirt chooses the LSI adapter for a SCSI controller without a model if QEMU has it (qemuSetSCSIControllerModel()). */
function hasLsi(domain: Element, vm: Vm): boolean {
  if (vm.architecture !== "x86") return false;
  const machine = domain.find("os", "type")?.attribute("machine") ?? "";
  return !isRedHat(machine) && !emulatorOf(domain).endsWith("/libexec/qemu-kvm");
}

function emulatorOf(domain: Element): string {
  return domain.find("devices", "emulator")?.text ?? "";
}

function setUnusedIothreads(vm: Vm, domain: Element): void {
  // <iothreadids> creates threads even without <iothreads>.
  const ids = domain.find("iothreadids");
  const element = domain.find("iothreads") ?? ids;
  const count = Math.max(Number(domain.find("iothreads")?.text) || 0, ids?.all("iothread").length ?? 0);
  if (element === undefined || !(count > 0)) return;
  if (vm.disks.some(({ iothread }) => ["used", "mapped", "ignored"].includes(iothread?.state ?? ""))) return;
  const controllers = domain.find("devices")?.all("controller") ?? [];
  if (controllers.some((controller) => usesThread(controller.find("driver")))) return;
  vm.unusedIothreads = { value: count, place: element.place };
  // The VM as a whole has this finding: it is not reported again for each disk.
  for (const { iothread } of vm.disks) if (iothread?.state === "none") iothread.state = "unsettable";
}

/** Notes volumes in libvirt pools whose XML is not among the inputs. */
function setHiddenPools(vm: Vm, domain: Element, pools: ReadonlyMap<string, Element>): void {
  const names = (domain.find("devices")?.all("disk") ?? []).flatMap((disk) => {
    const pool = disk.find("source")?.attribute("pool");
    return pool === undefined || pools.has(pool) ? [] : [pool];
  });
  for (const name of new Set(names))
    vm.unseen.push(
      `the pool ${name} of libvirt (virsh pool-dumpxml ${name}): whether it is RBD is guessed from its name`,
    );
}

function usesThread(driver: Element | undefined): boolean {
  return driver?.attribute("iothread") !== undefined || driver?.find("iothreads") !== undefined;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
