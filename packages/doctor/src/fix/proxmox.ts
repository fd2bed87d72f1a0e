import type { InputFile } from "../inputs/input.ts";
import { isConfigFile } from "../inputs/proxmox/listing.ts";
import type { FixTarget } from "./fix-target.ts";

/** Properties of a disk's line; undefined removes one. */
const properties: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
  "cache-librbd-on": { cache: undefined },
  "cache-unsafe": { cache: undefined },
  "discard-off": { discard: "on" },
  "aio-without-effect": { aio: undefined },
  "aio-threads": { aio: undefined },
  "detect-zeroes-cost": { detect_zeroes: "0" },
  "queues-beyond-vcpus": { queues: undefined },
  "iothread-missing": { iothread: "1" },
};

/** Lines of the configuration; undefined removes one. */
const lines: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
  "accel-tcg": { kvm: undefined },
  "cpu-generic": { cpu: "host" },
  "machine-i440fx": { machine: "q35" },
  "cpu-limit": { cpulimit: undefined },
  "numa-split": { numa: "1" },
  "hugepages-missing": { hugepages: "2" },
  "scsi-lsi": { scsihw: "virtio-scsi-single" },
  "iothread-without-effect": { scsihw: "virtio-scsi-single" },
};

/** A Proxmox configuration with one finding fixed; the sections of snapshots and pending changes stay as they are. */
export function fixProxmox({ text }: InputFile, { id, disks, vm }: FixTarget): string | undefined {
  if (!isConfigFile(text)) return undefined;
  const section = text.search(/^\[/m);
  const current = section < 0 ? text : text.slice(0, section);
  const rest = section < 0 ? "" : text.slice(section);
  if (id === "bus-ide" || id === "bus-sata") {
    const moved = disks.reduce((before, disk) => toScsi(before, disk), current);
    return moved === current ? undefined : moved + rest;
  }
  const whole = { ...lines[id] };
  if (
    id === "iothread-missing" &&
    vm.disks.some(({ name, bus }) => disks.includes(name) && bus.value === "virtio-scsi")
  )
    whole.scsihw = "virtio-scsi-single";
  const queues = id === "queues-single" ? queueChanges(current, disks, vm) : undefined;
  Object.assign(whole, queues?.whole);
  const ofDisk = queues?.ofDisk ?? properties[id];
  if (id === "cpu-generic") whole.cpu = cpuOfHost(current);
  let changed = current;
  for (const [key, value] of Object.entries(whole)) changed = setLine(changed, key, value);
  const throttles = id === "throttled";
  for (const disk of ofDisk !== undefined || throttles ? disks : []) {
    changed = changed.replace(
      new RegExp(`^(${disk}:[ \\t]*)(.*)$`, "m"),
      (_line, start: string, setting: string) => start + setProperties(setting, ofDisk ?? {}, throttles),
    );
  }
  return changed === current ? undefined : changed + rest;
}

/** Sets queues on a disk that has its own controller; otherwise only an unversioned machine type brings multiqueue. */
function queueChanges(text: string, disks: readonly string[], { vcpus, machine }: FixTarget["vm"]) {
  if (/^scsihw:[ \t]*virtio-scsi-single/m.test(text) && disks.every((disk) => disk.startsWith("scsi")))
    return { ofDisk: { queues: String(vcpus) } };
  return { whole: { machine: machine?.value.board === "q35" ? "q35" : undefined } };
}

/** Moves a disk to virtio-scsi at its place in the boot order; changes nothing if other disks use another SCSI controller. */
function toScsi(text: string, disk: string): string {
  const setting = new RegExp(`^${disk}:[ \\t]*(.*)$`, "m").exec(text)?.[1];
  const controller = /^scsihw:[ \t]*(\S+)/m.exec(text)?.[1];
  const taken = new Set([...text.matchAll(/^scsi(\d+):/gm)].map((match) => Number(match[1])));
  if (setting === undefined || (taken.size > 0 && controller !== "virtio-scsi-single")) return text;
  let free = 0;
  while (taken.has(free)) free++;
  const line = setProperties(setting, { discard: "on", iothread: "1" }, false);
  const moved = text
    .replace(new RegExp(`^${disk}:.*$`, "m"), `scsi${free}: ${line}`)
    .replace(new RegExp(`^((?:boot|bootdisk):.*\\b)${disk}\\b`, "m"), `$1scsi${free}`);
  return setLine(moved, "scsihw", "virtio-scsi-single");
}

/** Sets the host's CPU model and keeps the line's flags. */
function cpuOfHost(text: string): string {
  const parts = /^cpu:[ \t]*(.*)$/m.exec(text)?.[1]?.split(",") ?? [];
  return ["host", ...parts.filter((part) => part.includes("=") && !part.startsWith("cputype="))].join(",");
}

function setLine(text: string, key: string, value: string | undefined): string {
  const line = new RegExp(`^${key}:.*\\n?`, "m");
  if (value === undefined) return text.replace(line, "");
  if (line.test(text)) return text.replace(line, `${key}: ${value}\n`);
  return `${text.replace(/\n*$/, "\n")}${key}: ${value}\n${/\n\n+$/.exec(text) ? "\n" : ""}`;
}

function setProperties(
  setting: string,
  changes: Readonly<Record<string, string | undefined>>,
  throttles: boolean,
): string {
  const parts = setting.split(",").filter((part, index) => {
    const key = part.split("=")[0]!;
    return index === 0 || !(Object.hasOwn(changes, key) || (throttles && /^(mbps|iops|bps)/.test(key)));
  });
  for (const [key, value] of Object.entries(changes)) if (value !== undefined) parts.push(`${key}=${value}`);
  return parts.join(",");
}
