import type { Place } from "../../model/place.ts";
import type { InputFile } from "../input.ts";
import { type QemuArguments, type QemuOption, readArguments } from "./arguments.ts";
import type { Group } from "./group.ts";
import { get, keyValues, type Tree, textOf } from "./key-values.ts";
import { readConfig } from "./read-config.ts";

/** A QEMU command line, grouped by what its options create. */
export interface QemuCommand extends QemuArguments {
  drives: (Group & { legacy?: string })[];
  blockdevs: Group[];
  devices: Group[];
  objects: Group[];
  machine: Group[];
  /** All other options; of a repeated option the last, as in QEMU. */
  single: ReadonlyMap<string, QemuOption>;
  accelerators: { name: string; place: Place }[];
  numaNodes: Group[];
  /** Options whose argument could not be read. */
  broken: QemuOption[];
}

/** The key to which a word without `=` is the value. */
const impliedKeys: Readonly<Record<string, string>> = {
  device: "driver",
  object: "qom-type",
  machine: "type",
  blockdev: "driver",
  numa: "type",
  accel: "accel",
};

const diskShorthands: Readonly<Record<string, Record<string, string>>> = {
  hda: { if: "ide", index: "0", media: "disk" },
  hdb: { if: "ide", index: "1", media: "disk" },
  hdc: { if: "ide", index: "2", media: "disk" },
  hdd: { if: "ide", index: "3", media: "disk" },
  cdrom: { index: "2", media: "cdrom" },
  pflash: { if: "pflash" },
};

/**
 * Reads a command line and, if they are among the inputs, the files that `-readconfig` names.
 *
 * @throws DoctorError SIPHON_BAD_INPUT if no word is a QEMU program
 */
export function readCommand(input: InputFile, configs: readonly InputFile[] = []): QemuCommand {
  const args = readArguments(input);
  const command: QemuCommand = {
    ...args,
    drives: [],
    blockdevs: [],
    devices: [],
    objects: [],
    machine: [],
    single: new Map(),
    accelerators: [],
    numaNodes: [],
    broken: [],
  };
  const lists: Record<string, Group[]> = {
    drive: command.drives,
    blockdev: command.blockdevs,
    device: command.devices,
    object: command.objects,
    machine: command.machine,
    numa: command.numaNodes,
  };
  const single = command.single as Map<string, QemuOption>;
  for (const option of args.options) {
    const name = option.name === "M" ? "machine" : option.name;
    const list = lists[name];
    if (list !== undefined) {
      const tree = keyValues(option.value, impliedKeys[name]);
      if (tree === undefined) command.broken.push(option);
      else list.push({ tree, place: option.place });
    } else if (Object.hasOwn(diskShorthands, name)) {
      const tree = keyValues("") as Tree;
      Object.assign(tree, diskShorthands[name], { file: option.value });
      command.drives.push({ tree, place: option.place, legacy: name });
    } else if (name === "accel") {
      command.accelerators.push({ name: option.value.split(",")[0]!, place: option.place });
    } else if (name === "enable-kvm") command.accelerators.push({ name: "kvm", place: option.place });
    else if (name === "set") applySet(command, option.value);
    else if (name === "readconfig") {
      const config =
        configs.find(({ name: path }) => baseName(path) === baseName(option.value)) ?? configs[0];
      if (config === undefined) command.broken.push(option);
      else for (const [kind, group] of readConfig(config)) lists[kind]?.push(group);
    } else single.set(name, option);
  }
  for (const { name, value } of args.options) if (name === "global") applyGlobal(command, value);
  return command;
}

/** Applies `-global driver.property=value` to all devices of the driver that do not set the property. */
function applyGlobal({ devices }: QemuCommand, text: string): void {
  const short = /^([\w-]+)\.([\w-]+)=([\s\S]*)$/.exec(text);
  const long = short === null ? keyValues(text) : undefined;
  const [driver, key, value] =
    short?.slice(1) ?? ["driver", "property", "value"].map((each) => textOf(long, each));
  if (driver === undefined || key === undefined || value === undefined) return;
  for (const { tree } of devices)
    if (textOf(tree, "driver") === driver && get(tree, key) === undefined) tree[key] = value;
}

/** Applies `-set group.id.key=value` to an earlier option. */
function applySet(command: QemuCommand, text: string): void {
  const match = /^(device|drive|object)\.([^.]+)\.([^=]+)=([\s\S]*)$/.exec(text);
  if (match === null) return;
  const [, group, id, key, value] = match as unknown as [string, string, string, string, string];
  const list = group === "device" ? command.devices : group === "drive" ? command.drives : command.objects;
  const target = list.find(({ tree }) => textOf(tree, "id") === id);
  if (target !== undefined) target.tree[key] = value;
}

/** The last value of a key of `-machine`; later options override earlier ones. */
export function machineSetting(
  command: QemuCommand,
  key: string,
): { value: string; place: Place } | undefined {
  for (const { tree, place } of command.machine.toReversed()) {
    const value = get(tree, key);
    if (typeof value === "string") return { value, place };
  }
  return undefined;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
