import { machineOf } from "../../model/machine.ts";
import { emptyVm, type Vm } from "../../model/vm.ts";
import type { InputFile } from "../input.ts";
import { addExtraArguments } from "../qemu/extra-arguments.ts";
import {
  isOn,
  type ProxmoxConfig,
  properties,
  readProxmoxConfig,
  readStorages,
  type Storage,
} from "./config.ts";
import { addContainer, isContainer } from "./container.ts";
import { disksOf } from "./disks.ts";
import { isConfigFile, readListing } from "./listing.ts";

/** A VM from its Proxmox configuration and, if it is among the inputs, storage.cfg. */
export function proxmoxVm(input: InputFile, storageFile?: InputFile, qemuServer?: readonly number[]): Vm {
  const config = isConfigFile(input.text) ? readProxmoxConfig(input) : readListing(input);
  const { current } = config;
  const storages: ReadonlyMap<string, Storage> =
    storageFile === undefined ? new Map() : readStorages(storageFile);
  const vm = emptyVm("proxmox", { file: input.name, line: 1 });
  if (qemuServer !== undefined) vm.host.qemuServer = qemuServer;
  const name = current.get("name")?.value;
  if (name !== undefined) vm.name = name;
  const id = idOf(input.name, config);
  if (id !== undefined) vm.id = id;
  if (isContainer(config)) {
    addContainer(vm, config, storages);
    return vm;
  }
  const arch = current.get("arch")?.value ?? "x86_64";
  vm.architecture = arch === "x86_64" ? "x86" : "other";
  setMachine(vm, config);
  setCpu(vm, config);
  setMemory(vm, config);
  vm.disks = disksOf(config, storages, vm);
  const args = current.get("args");
  if (args !== undefined) addExtraArguments(vm, ` ${args.value}`, args.place);
  if (storageFile === undefined && vm.disks.some(({ source }) => source.path === undefined))
    vm.unseen.push("storage.cfg: the name of a storage suggests whether it is RBD and kernel-mapped");
  if (config.pending.size > 0) {
    const keys = [...config.pending.keys()].filter((key) => key !== "delete").join(", ");
    vm.notes.push(
      `Changes wait for a restart of the VM (${keys || "removals"}): the findings are about its current configuration.`,
    );
  }
  return vm;
}

/** The VM's id, from the file's name, otherwise from the volumes' names. */
function idOf(file: string, { current }: ProxmoxConfig): string | undefined {
  const named = /(?:^|\/)(\d{3,9})\.conf$/.exec(file)?.[1];
  if (named !== undefined) return named;
  for (const { value } of current.values()) {
    const id = /(?:^|[:/])vm-(\d+)-/.exec(value)?.[1];
    if (id !== undefined) return id;
  }
  return undefined;
}

function setMachine(vm: Vm, { current }: ProxmoxConfig): void {
  const setting = current.get("machine");
  const type = setting === undefined ? undefined : properties(setting.value, "type").get("type");
  if (type !== undefined) vm.machine = { value: machineOf(type), place: setting!.place };
  else if (vm.architecture === "x86")
    vm.machine = { value: machineOf("pc", true), place: setting?.place ?? vm.place };
  const kvm = current.get("kvm");
  vm.accelerator =
    kvm !== undefined && !isOn(kvm.value)
      ? { value: "tcg", place: kvm.place, why: "kvm: 0 emulates the guest's CPUs (TCG)." }
      : { value: "kvm", place: kvm?.place ?? vm.place };
}

function setCpu(vm: Vm, { current }: ProxmoxConfig): void {
  if (vm.architecture !== "x86") return;
  const setting = current.get("cpu");
  const model = setting === undefined ? undefined : properties(setting.value, "cputype").get("cputype");
  // Proxmox appends args: to the command line, where the last -cpu counts.
  const inArgs = /(?:^|\s)-cpu\s+([^\s,]+)/.exec(current.get("args")?.value ?? "")?.[1];
  vm.cpu = { value: inArgs ?? model, place: setting?.place ?? vm.place };
}

function setMemory(vm: Vm, { current }: ProxmoxConfig): void {
  const number = (key: string) => Number(current.get(key)?.value) || undefined;
  const cores = number("cores") ?? 1;
  const sockets = number("sockets") ?? 1;
  vm.vcpus = number("vcpus") ?? cores * sockets;
  if (cores * sockets > vm.vcpus) vm.maximumVcpus = cores * sockets;
  const memory = current.get("memory");
  const mebibytes = memory === undefined ? 512 : Number(properties(memory.value, "current").get("current"));
  if (mebibytes > 0) vm.memory = { value: mebibytes * 2 ** 20, place: memory?.place ?? vm.place };
  vm.hugepages = current.has("hugepages");
  const limit = number("cpulimit");
  if (limit !== undefined && limit < cores * sockets) {
    vm.cpuLimit = {
      value: { words: `cpulimit ${limit} for ${cores * sockets} vCPUs`, below: true },
      place: current.get("cpulimit")!.place,
    };
  }
  if (sockets >= 2 && !isOn(current.get("numa")?.value)) {
    vm.numaSplit = {
      value: { words: `${sockets} virtual sockets without numa: 1`, guestOnly: true },
      place: current.get("sockets")!.place,
    };
  }
}
