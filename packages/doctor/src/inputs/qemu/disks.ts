import type { Bus, Disk, DiskKind, Iothread } from "../../model/disk.ts";
import { hasSingleQueues } from "../../model/machine.ts";
import type { Fact, Place } from "../../model/place.ts";
import type { Machine } from "../../model/vm.ts";
import { imageOfDevice } from "../device-path.ts";
import { isSeedImage } from "../seed-image.ts";
import type { QemuCommand } from "./command.ts";
import { machineSetting } from "./command.ts";
import type { Group } from "./group.ts";
import { flagOf, get, isTree, listOf, type Tree, textOf, treeOf } from "./key-values.ts";
import {
  chainOf,
  detectZeroesOf,
  driveNode,
  effectiveCache,
  formatOf,
  type Node,
  passesDiscard,
} from "./nodes.ts";
import { sourceOf } from "./source.ts";
import { throttleOf } from "./throttle.ts";

interface Context {
  command: QemuCommand;
  machine: Machine;
  /** Devices by the id of the drive or node that they use. */
  users: ReadonlyMap<string, Group>;
  controllers: ReadonlyMap<string, Group>;
  objects: ReadonlyMap<string, Tree>;
  isProxmox: boolean;
}

/** The disks of a command line. A -drive is named by its id or QEMU's name for it, a -blockdev by its top node. */
export function disksOf(command: QemuCommand, machine: Machine, isProxmox: boolean): Disk[] {
  const byId = (groups: readonly Group[], key: string) =>
    new Map(groups.flatMap((group) => pair(textOf(group.tree, key), group)));
  const context: Context = {
    command,
    machine,
    users: byId(command.devices, "drive"),
    controllers: byId(command.devices, "id"),
    objects: new Map(command.objects.flatMap(({ tree }) => pair(textOf(tree, "id"), tree))),
    isProxmox,
  };
  return [...driveDisks(context), ...nodeDisks(context)];
}

function pair<Value>(key: string | undefined, value: Value): [string, Value][] {
  return key === undefined ? [] : [[key, value]];
}

function driveDisks(context: Context): Disk[] {
  const { command, machine } = context;
  const isPower = (machineSetting(command, "type")?.value ?? "").startsWith("pseries");
  const defaultInterface = isPower ? "scsi" : machine.board === "other" ? "virtio" : "ide";
  const taken = new Set<string>();
  // QEMU numbers the drives with an index first, then the others in the order of the command line.
  return command.drives.flatMap(({ tree, place }) => {
    if (get(tree, "file") === undefined && textOf(tree, "driver") === undefined) return [];
    const kind = textOf(tree, "if") ?? defaultInterface;
    const isCdrom = textOf(tree, "media") === "cdrom";
    const slot = slotOf(tree, kind, machine, taken);
    const name = textOf(tree, "id") ?? slot.name(isCdrom ? "-cd" : "-hd");
    const at = { ...place, path: `-drive ${name}` };
    const device = context.users.get(name);
    const chain = chainOf(driveNode(tree), at, new Map());
    const bus = driveBus(kind, device, context);
    const unit = Number(textOf(tree, "unit") ?? textOf(tree, "index") ?? slot.unit);
    const role: DiskKind =
      isCdrom || isCdDevice(device)
        ? "cdrom"
        : kind === "pflash"
          ? unit === 1
            ? "efivars"
            : "other"
          : kind === "floppy" || kind === "sd" || kind === "mtd"
            ? "other"
            : "data";
    const cache = textOf(tree, "cache");
    return [
      {
        ...common({ name, place: at, kind: role, bus, chain, device, context }),
        cache: driveCache(cache, chain, at),
        discard: { value: ["unmap", "on"].includes(textOf(tree, "discard") ?? ""), place: at },
        ...throttleFact(throttleOf(tree), at),
      },
    ];
  });
}

function driveCache(mode: string | undefined, chain: readonly Node[], place: Place): Disk["cache"] {
  const nodes = effectiveCache(chain);
  if (mode === undefined) {
    const { direct, noFlush, written } = nodes;
    return {
      direct,
      noFlush,
      place,
      chosen: written ? "written" : "nobody",
      ...(written && { mode: modeName(direct, noFlush) }),
    };
  }
  const direct = mode === "none" || mode === "off" || mode === "directsync";
  return { direct, noFlush: mode === "unsafe", mode, chosen: "written", place };
}

/** With -blockdev, writethrough is a property of the device. */
function isWritethrough(device: Group | undefined, direct: boolean, noFlush: boolean): boolean {
  return !direct && !noFlush && textOf(device?.tree, "write-cache") === "off";
}

function modeName(direct: boolean, noFlush: boolean): string {
  if (noFlush) return "unsafe";
  return direct ? "none" : "writeback";
}

/** Top nodes that a device, or the firmware's flash, uses. */
function nodeDisks(context: Context): Disk[] {
  const { command } = context;
  const named = new Map(
    command.blockdevs.flatMap(({ tree, place }) => pair(textOf(tree, "node-name"), { tree, place })),
  );
  const used = new Set(command.blockdevs.flatMap(({ tree }) => references(tree)));
  const flash = machineSetting(command, "pflash1")?.value;
  const code = machineSetting(command, "pflash0")?.value;
  return command.blockdevs.flatMap(({ tree, place }) => {
    const name = textOf(tree, "node-name");
    if (name === undefined || used.has(name)) return [];
    const device = context.users.get(name);
    const at = { ...place, path: `-blockdev ${name}` };
    const chain = chainOf(tree, at, named);
    const kind: DiskKind =
      name === flash ? "efivars" : name === code ? "other" : isCdDevice(device) ? "cdrom" : "data";
    const { direct, noFlush, written, place: cachePlace } = effectiveCache(chain);
    const groups = chain.flatMap(({ driver, tree: node }) =>
      driver === "throttle" ? [context.objects.get(textOf(node, "throttle-group") ?? "")] : [],
    );
    const limit = groups.map((group) => group && throttleOf(treeOf(group, "limits") ?? group)).find(Boolean);
    const disk: Disk = {
      ...common({ name, place: at, kind, bus: driveBus("none", device, context), chain, device, context }),
      cache: {
        direct,
        noFlush,
        place: { ...at, line: cachePlace.line },
        chosen: written ? "written" : "nobody",
        ...(written && {
          mode: isWritethrough(device, direct, noFlush) ? "writethrough" : modeName(direct, noFlush),
        }),
      },
      discard: { value: passesDiscard(chain), place: at },
      ...throttleFact(limit, at),
    };
    const layers = bareLayers(chain, context);
    if (layers !== undefined) disk.bareLayers = { value: layers, place: at };
    if (kind === "efivars" && context.isProxmox) disk.efivarsCached = true;
    return [disk];
  });
}

/** Options that name another node. */
const nodeKeys = new Set(["file", "backing", "data-file", "top", "target", "header"]);

function references(tree: Tree): string[] {
  return Object.entries(tree).flatMap(([key, value]) => {
    if (typeof value === "string") return nodeKeys.has(key) ? [value] : [];
    if (key === "children") return (listOf(tree, key) ?? []).filter((child) => typeof child === "string");
    return isTree(value) ? references(value) : [];
  });
}

/** Raw and throttle nodes above an rbd node that have no effect. */
function bareLayers(chain: readonly Node[], { objects }: Context): string | undefined {
  if (chain.at(-1)?.driver !== "rbd") return undefined;
  const idle = chain.slice(0, -1).filter(({ driver, tree }) => {
    if (driver === "raw") return textOf(tree, "offset") === undefined && textOf(tree, "size") === undefined;
    if (driver !== "throttle") return false;
    const group = objects.get(textOf(tree, "throttle-group") ?? "");
    return group === undefined || throttleOf(treeOf(group, "limits") ?? group) === undefined;
  });
  return idle.length === 0 ? undefined : idle.map(({ driver }) => driver).join(", ");
}

interface Parts {
  name: string;
  place: Place;
  kind: DiskKind;
  bus: Fact<Bus>;
  chain: readonly Node[];
  device: Group | undefined;
  context: Context;
}

/** The properties that -drive and -blockdev share. */
function common({ name, place, kind, bus, chain, device, context }: Parts): Disk {
  const source = sourceOf(chain.at(-1), place, context.objects);
  const detectZeroes = detectZeroesOf(chain);
  const format = formatOf(chain);
  const aio = chain.map(({ tree }) => textOf(tree, "aio")).find((value) => value !== undefined);
  const controller = controllerOf(device, context);
  const worker = bus.value === "virtio-scsi" ? controller : device;
  const disk: Disk = {
    name,
    place,
    kind: kind === "data" && isSeedImage(source.image) ? "cloudinit" : kind,
    bus,
    source: { ...source, ...(source.path !== undefined && imageOfDevice(source.path)) },
    iothread: iothreadOf(worker, bus.value, place),
    ...(detectZeroes !== undefined && { detectZeroes: { value: detectZeroes, place } }),
    ...(format !== undefined && { format: { value: format, place } }),
    ...(isReadOnly(chain[0]) && { readOnly: true }),
    ...(aio !== undefined && {
      aio: { value: aio, place, chosen: "written" },
    }),
  };
  const queues = queuesOf(worker, bus.value, context.machine, place);
  if (queues !== undefined) disk.queues = queues;
  return disk;
}

/** -drive says `readonly`, a node `read-only`. */
function isReadOnly(top: Node | undefined): boolean {
  return flagOf(top?.tree, "read-only") === true || flagOf(top?.tree, "readonly") === true;
}

function iothreadOf(worker: Group | undefined, bus: Bus, place: Place): Iothread {
  if (bus !== "virtio-blk" && bus !== "virtio-scsi") return { state: "unsettable", place };
  const at = worker === undefined ? place : { ...worker.place, path: pathOf(worker) };
  const mapping = listOf(worker?.tree, "iothread-vq-mapping");
  if (mapping !== undefined && mapping.length > 0) return { state: "mapped", place: at };
  const thread = textOf(worker?.tree, "iothread");
  return thread === undefined || thread === ""
    ? { state: "none", place: at }
    : { state: "used", thread, place: at };
}

function queuesOf(
  worker: Group | undefined,
  bus: Bus,
  machine: Machine,
  place: Place,
): Disk["queues"] | undefined {
  if (bus !== "virtio-blk" && bus !== "virtio-scsi") return undefined;
  const text = textOf(worker?.tree, "num-queues") ?? textOf(worker?.tree, "num_queues");
  const number = Number(text);
  const at = worker === undefined ? place : { ...worker.place, path: pathOf(worker) };
  if (text !== undefined && Number.isInteger(number) && number > 0)
    return { value: number, explicit: true, place: at };
  const isCcw = /ccw|device$/.test(textOf(worker?.tree, "driver") ?? "");
  return hasSingleQueues(machine) && !isCcw ? { value: 1, explicit: false, place: at } : undefined;
}

function pathOf({ tree }: Group): string {
  return `-device ${textOf(tree, "id") ?? textOf(tree, "driver") ?? ""}`;
}

function isCdDevice(device: Group | undefined): boolean {
  return /^(ide|scsi)-cd$/.test(textOf(device?.tree, "driver") ?? "");
}

/** The bus of a drive: from its device, otherwise from its interface. */
function driveBus(kind: string, device: Group | undefined, context: Context): Fact<Bus> {
  const place = device?.place;
  const at = (value: Bus): Fact<Bus> => ({
    value,
    place:
      place === undefined || device === undefined
        ? { file: "", line: 0 }
        : { ...place, path: pathOf(device) },
  });
  const { machine } = context;
  if (device === undefined) {
    if (kind === "ide") return at(machine.board === "q35" ? "sata" : "ide");
    if (kind === "virtio") return at("virtio-blk");
    // Only PC machines create an LSI adapter; POWER machines have their own.
    if (kind === "scsi") return at(machine.board === "other" ? "other" : "lsi");
    return at("none");
  }
  const driver = textOf(device.tree, "driver") ?? "";
  if (/^virtio-blk/.test(driver)) return at("virtio-blk");
  if (/^ide-/.test(driver)) {
    const controller = controllerOf(device, context);
    const isAhci = /ahci/.test(textOf(controller?.tree, "driver") ?? "");
    return at(isAhci || (controller === undefined && machine.board === "q35") ? "sata" : "ide");
  }
  if (/^scsi-(hd|disk|block|generic|cd)$/.test(driver)) {
    const adapter = textOf(controllerOf(device, context)?.tree, "driver") ?? "";
    if (/^virtio-scsi|^vhost-scsi/.test(adapter)) return at("virtio-scsi");
    return at(/^lsi/.test(adapter) ? "lsi" : "other");
  }
  return at("other");
}

/** The controller whose bus a device names (`bus=scsihw0.0`), otherwise the first possible one. */
function controllerOf(device: Group | undefined, { controllers, command }: Context): Group | undefined {
  if (device === undefined) return undefined;
  const driver = textOf(device.tree, "driver") ?? "";
  const isScsi = driver.startsWith("scsi-");
  if (!isScsi && !driver.startsWith("ide-")) return undefined;
  const bus = textOf(device.tree, "bus");
  const named = bus === undefined ? undefined : controllers.get(bus.replace(/\.\d+$/, ""));
  if (named !== undefined || !isScsi) return named;
  return command.devices.find(({ tree }) =>
    /^(virtio-scsi|lsi|megasas|mptsas|pvscsi|am53c974|dc390|vhost-scsi)/.test(textOf(tree, "driver") ?? ""),
  );
}

function throttleFact(words: string | undefined, place: Place): Pick<Disk, "throttle"> {
  return words === undefined ? {} : { throttle: { value: words, place } };
}

/** The bus and unit of a drive, and the name that QEMU derives from them (blockdev.c, drive_new()). */
function slotOf(tree: Tree, kind: string, machine: Machine, taken: Set<string>) {
  const perBus = kind === "ide" ? (machine.board === "q35" ? 1 : 2) : kind === "scsi" ? 7 : 0;
  const index = textOf(tree, "index");
  let unit = Number(textOf(tree, "unit") ?? (index === undefined ? Number.NaN : index));
  let bus = Number(textOf(tree, "bus") ?? 0) || 0;
  if (index !== undefined && perBus > 0) {
    bus = Math.floor(Number(index) / perBus);
    unit = Number(index) % perBus;
  }
  const key = () => `${kind}/${bus}/${unit}`;
  if (!Number.isInteger(unit)) {
    unit = 0;
    while (taken.has(key()) && taken.size < 100_000) {
      unit++;
      if (perBus > 0 && unit >= perBus) {
        unit = 0;
        bus++;
      }
    }
  }
  taken.add(key());
  const name = (media: string) => {
    const part = kind === "ide" || kind === "scsi" ? media : "";
    return perBus > 0 ? `${kind}${bus}${part}${unit}` : `${kind}${part}${unit}`;
  };
  return { unit, name };
}
