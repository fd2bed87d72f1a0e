import type { InputFile } from "../inputs/input.ts";
import { type QemuOption, readArguments } from "../inputs/qemu/arguments.ts";
import { keyValues, splitCommas, type Tree, textOf } from "../inputs/qemu/key-values.ts";
import type { FixTarget } from "./fix-target.ts";
import { type Changes, changedArgument } from "./qemu-options.ts";

/** Options of a -drive. */
const ofDrive: Readonly<Record<string, Changes>> = {
  "cache-librbd-on": { cache: "none" },
  "cache-unsafe": { cache: "none" },
  "discard-off": { discard: "unmap" },
  "aio-without-effect": { aio: undefined },
  "aio-threads": { aio: "native" },
  "detect-zeroes-cost": { "detect-zeroes": undefined },
};

/** Options of every -blockdev node. */
const ofNode: Readonly<Record<string, Changes>> = {
  "cache-librbd-on": { "cache.direct": true },
  "cache-unsafe": { "cache.direct": true, "cache.no-flush": false },
  "discard-off": { discard: "unmap" },
  "detect-zeroes-cost": { "detect-zeroes": undefined },
};

/** A command line with one finding fixed; undefined if no option's argument can fix it. */
export function fixQemu(file: InputFile, { id, disks, vm }: FixTarget): string | undefined {
  let { text } = file;
  const { options } = readArguments(file);
  const replace = (option: QemuOption, value: string): boolean => {
    const end = endOf(option, text);
    if (end === undefined) return false;
    text = text.slice(0, end - option.value.length) + value + text.slice(end);
    return true;
  };
  const change = (option: QemuOption, changes: Changes) =>
    replace(option, changedArgument(option.value, changes));
  if (ofDrive[id] !== undefined) for (const drive of drivesOf(options, disks)) change(drive, ofDrive[id]);
  if (ofNode[id] !== undefined) for (const node of nodesOf(options, disks)) change(node, ofNode[id]);
  if (id === "bus-ide" || id === "bus-sata") toVirtio();
  if (id === "scsi-lsi")
    for (const device of workersOf(options, disks, /^lsi/)) change(device, { driver: "virtio-scsi-pci" });
  if (id === "throttled")
    for (const drive of drivesOf(options, disks)) change(drive, dropped(drive, isThrottle));
  if (id === "aio-threads")
    for (const node of nodesOf(options, disks))
      if (textOf(treeOf(node), "aio") !== undefined) change(node, { aio: "native" });
  if (id === "queues-single")
    for (const device of workersOf(options, disks)) {
      const isScsi = /^virtio-scsi/.test(textOf(treeOf(device), "driver") ?? "");
      change(device, { "num-queues": undefined, num_queues: undefined });
      const [plain] = workersOf(readArguments({ ...file, text }).options, disks);
      if (plain !== undefined) change(plain, { [isScsi ? "num_queues" : "num-queues"]: String(vm.vcpus) });
    }
  if (id === "queues-beyond-vcpus")
    for (const device of workersOf(options, disks))
      change(device, { "num-queues": undefined, num_queues: undefined });
  if (id === "iothread-missing") {
    const devices = new Set(workersOf(options, disks));
    for (const [index, device] of [...devices].entries()) {
      const thread = `siphon-io${index}`;
      if (change(device, { iothread: thread })) append(` -object iothread,id=${thread}`);
    }
  }
  if (id === "accel-tcg" && vm.accelerator !== undefined) {
    const named = options.find(({ name, value }) => name === "accel" && value.startsWith("tcg"));
    const machine = options.find(
      ({ name, value }) => (name === "machine" || name === "M") && /accel=tcg/.test(value),
    );
    if (named !== undefined) replace(named, "kvm");
    else if (machine !== undefined) replace(machine, machine.value.replace("accel=tcg", "accel=kvm"));
    else append(" -accel kvm");
  }
  if (id === "cpu-generic") {
    const cpu = options.find(({ name }) => name === "cpu");
    if (cpu === undefined) append(" -cpu host");
    else replace(cpu, ["host", ...cpu.value.split(",").slice(1)].join(","));
  }
  return text === file.text ? undefined : text;

  /** Moves the disks to virtio-blk: changes their devices, or the interface of a drive without a device. */
  function toVirtio(): void {
    for (const disk of disks) {
      const device = options.find(
        (option) => option.name === "device" && textOf(treeOf(option), "drive") === disk,
      );
      if (device !== undefined)
        change(device, {
          ...dropped(device, (key) => ["bus", "unit", "model", "ver", "wwn", "rotation_rate"].includes(key)),
          driver: "virtio-blk-pci",
        });
      else
        for (const drive of drivesOf(options, [disk]))
          change(drive, {
            ...dropped(drive, (key) => ["bus", "unit"].includes(key)),
            if: "virtio",
          });
    }
  }

  function append(words: string): void {
    // Words of /proc/PID/cmdline end with NUL.
    if (text.includes("\0")) text = `${text.replace(/\0$/, "")}${words.replaceAll(" ", "\0")}\0`;
    else text = text.replace(/\s*$/, (end) => words + end);
  }
}

/**
 * The offset where an option's argument ends in the text. It matches the option and the whole argument, since `drive=d1` is also a prefix of
 * `drive=d10`. Undefined if the argument contains a shell's quotes or escapes.
 */
function endOf({ name, value }: QemuOption, text: string): number | undefined {
  const argument = value.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const words = new RegExp(`(?<![^\\s\\0])--?${name}[\\s\\0\\\\'"]+${argument}(?![^\\s\\0'"])`);
  const found = words.exec(text);
  return found === null ? undefined : found.index + found[0].length;
}

/** Changes that remove the keys that pass a test. */
function dropped(option: QemuOption, test: (key: string) => boolean): Changes {
  const keys = option.value.startsWith("{")
    ? Object.keys(treeOf(option) ?? {})
    : splitCommas(option.value).map((part) => part.split("=")[0]!);
  return Object.fromEntries(keys.filter(test).map((key) => [key, undefined]));
}

function isThrottle(key: string): boolean {
  return /^(throttling\.)?(bps|iops)|^throttling\./.test(key);
}

function treeOf({ name, value }: QemuOption): Tree | undefined {
  return keyValues(value, name === "device" || name === "blockdev" ? "driver" : undefined);
}

/** The -drive options of the disks. */
function drivesOf(options: readonly QemuOption[], disks: readonly string[]): QemuOption[] {
  const drives = options.filter(({ name }) => name === "drive");
  return drives.filter((option) => {
    if (option.value.startsWith("{")) return false;
    const id = textOf(treeOf(option), "id");
    return id === undefined ? drives.length === 1 : disks.includes(id);
  });
}

/** The -blockdev options behind the disks, from the node that the device uses down to the last named one. */
function nodesOf(options: readonly QemuOption[], disks: readonly string[]): QemuOption[] {
  const named = new Map(
    options
      .filter(({ name }) => name === "blockdev")
      .map((option) => [textOf(treeOf(option), "node-name") ?? "", option] as const),
  );
  const nodes = new Set<QemuOption>();
  for (const disk of disks) {
    let at = named.get(disk);
    while (at !== undefined && !nodes.has(at)) {
      nodes.add(at);
      at = named.get(textOf(treeOf(at), "file") ?? "");
    }
  }
  return [...nodes];
}

/** The devices that own the disks' threads and queues: a SCSI disk's controller, otherwise the disk's device. */
function workersOf(
  options: readonly QemuOption[],
  disks: readonly string[],
  adapter = /^virtio-scsi/,
): QemuOption[] {
  const devices = options.filter(({ name }) => name === "device");
  return disks.flatMap((disk) => {
    const own = devices.find((option) => textOf(treeOf(option), "drive") === disk);
    const driver = own && textOf(treeOf(own), "driver");
    if (own === undefined || !driver?.startsWith("scsi-")) return own ?? [];
    const bus = textOf(treeOf(own), "bus")?.replace(/\.\d+$/, "");
    const adapters = devices.filter((option) => adapter.test(textOf(treeOf(option), "driver") ?? ""));
    return (
      bus === undefined ? adapters : adapters.filter((option) => textOf(treeOf(option), "id") === bus)
    ).slice(0, 1);
  });
}
