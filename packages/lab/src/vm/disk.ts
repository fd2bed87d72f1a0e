import { reconnectOption } from "@siphon/attach";
import { LabError } from "../errors.ts";
import { keyValues, rbdEscape } from "./escape.ts";
import type { RbdDisk, VmSettings } from "./settings.ts";

/** Sources of a VM's disk. */
export type Disk =
  | ({ type: "rbd" } & RbdDisk)
  | { type: "file"; path: string; format: "raw" | "qcow2"; readOnly?: boolean }
  /** Reads zeros, drops writes; size in bytes. */
  | { type: "null"; size: number }
  /** A unix socket; `reconnectDelay` in seconds. Discards reach the server only if enabled, as for any block node. */
  | { type: "nbd"; socket: string; export?: string; reconnectDelay?: number; discard?: "unmap" }
  | { type: "vhost-user"; socket: string };

/** QEMU options, each with its value. */
export type Options = string[][];

/** The block node or drive id for a disk's device. */
export function nodeName(disk: Disk): string {
  return disk.type === "rbd" ? "rbd0" : "disk0";
}

/**
 * The options for a rung's disk: backend, I/O threads and device, in the study's form.
 *
 * @param qemuVersion the newest where it is not known
 * @throws LabError SIPHON_USAGE for settings that QEMU cannot combine
 */
export function diskOptions(settings: VmSettings, disk: Disk, qemuVersion?: string): Options {
  refuseImpossible(settings, disk);
  if (disk.type === "vhost-user") {
    return [
      ["-chardev", keyValues("socket", { id: "vhost0", path: disk.socket, ...reconnectOption(qemuVersion) })],
      [
        "-device",
        keyValues("vhost-user-blk-pci", { chardev: "vhost0", id: "virtioblk0", ...queues(settings) }),
      ],
    ];
  }
  const backend = [
    ...secretOption(disk),
    settings.syntax === "blockdev" ? blockdevOption(settings, disk) : driveOption(settings, disk),
  ];
  switch (settings.device) {
    case "virtio-blk":
      return [...backend, ...ioThreadOptions(settings), virtioOption(settings, disk)];
    case "virtio-scsi":
      return [...backend, ...ioThreadOptions(settings), ...scsiOptions(settings, disk)];
    case "nvme":
      return [...backend, nvmeOption(settings, disk)];
    case "ide":
      if (settings.syntax === "drive") return backend;
      return [...backend, ["-device", keyValues("ide-hd", { drive: nodeName(disk), id: "ide0" })]];
  }
}

const guestDiskNames = { "virtio-blk": "vda", "virtio-scsi": "sda", ide: "sda", nvme: "nvme0n1" } as const;

/** The guest's device name of the disk. */
export function guestDiskName({ device }: Pick<VmSettings, "device">): "vda" | "sda" | "nvme0n1" {
  return guestDiskNames[device];
}

function refuseImpossible(settings: VmSettings, disk: Disk): void {
  if ((settings.device === "ide" || settings.device === "nvme") && settings.iothread) {
    const name = settings.device === "ide" ? "an IDE" : "an NVMe";
    throw new LabError("SIPHON_USAGE", `${name} disk cannot be served by an I/O thread`);
  }
  if (settings.syntax === "drive" && disk.type === "rbd" && disk.luks) {
    throw new LabError("SIPHON_USAGE", "an encrypted image needs the blockdev syntax");
  }
  if (settings.device !== "virtio-blk" && disk.type === "vhost-user") {
    throw new LabError("SIPHON_USAGE", "a vhost-user disk cannot be an IDE, SCSI or NVMe disk");
  }
  if (settings.device === "virtio-scsi" && (settings.iothreads ?? 1) > 1) {
    throw new LabError("SIPHON_USAGE", "one I/O thread serves a SCSI controller");
  }
  if ((settings.iothreads ?? 1) > 1 && (settings.queues ?? 0) < settings.iothreads!) {
    throw new LabError("SIPHON_USAGE", "several I/O threads need as many queues or more");
  }
}

function driveOption(settings: VmSettings, disk: BackedDisk): string[] {
  const common = {
    // Without them QEMU also creates the device: an IDE disk.
    ...(settings.device !== "ide" && { id: nodeName(disk), if: "none" }),
    cache: settings.cache === "none" ? "none" : undefined,
    aio: settings.aio,
  };
  switch (disk.type) {
    case "rbd":
      return ["-drive", keyValues("format=raw", { ...common, file: rbdName(disk) })];
    case "file":
      return [
        "-drive",
        keyValues(`format=${disk.format}`, {
          ...common,
          readonly: disk.readOnly ? "on" : undefined,
          file: disk.path,
        }),
      ];
    case "null":
    case "nbd":
      return ["-drive", keyValues("format=raw", { ...common, ...dotted(protocol(disk), "file.") })];
  }
}

function blockdevOption(settings: VmSettings, disk: BackedDisk): string[] {
  return ["-blockdev", keyValues("", dotted(blockNode(settings, disk)))];
}

/** The id of the secret object with a LUKS image's passphrase. */
const SECRET = "luks0";

function secretOption(disk: Disk): Options {
  if (disk.type !== "rbd" || !disk.luks) return [];
  return [["-object", keyValues("secret", { id: SECRET, file: disk.luks.passphraseFile })]];
}

/** A disk whose backend is a block node. */
export type BackedDisk = Exclude<Disk, { type: "vhost-user" }>;

/** Arguments of QMP's blockdev-add. */
export interface BlockNode {
  [key: string]: string | number | boolean | undefined | BlockNode;
}

/** The block node of a disk without a format driver on top, for `-blockdev` and for QMP's blockdev-add. */
export function blockNode(settings: Pick<VmSettings, "cache">, disk: BackedDisk): BlockNode {
  const cache = settings.cache === "none" ? { direct: true } : undefined;
  const { driver, ...rest } = protocol(disk);
  const names = { "node-name": nodeName(disk), cache };
  // The node below has the cache mode of the one above.
  if (disk.type === "rbd" && disk.luks?.by === "qemu")
    return { driver: "luks", ...names, "key-secret": SECRET, file: { driver, ...rest } };
  return { driver, ...names, ...rest };
}

function protocol(disk: BackedDisk): BlockNode {
  switch (disk.type) {
    case "rbd": {
      const { pool, namespace, image, user, conf, luks } = disk;
      const encrypt = luks?.by === "librbd" ? { format: "luks", "key-secret": SECRET } : undefined;
      return { driver: "rbd", pool, namespace, image, user, conf, encrypt };
    }
    case "file": {
      const file = { driver: "file", filename: disk.path };
      const readOnly = disk.readOnly || undefined;
      return disk.format === "raw"
        ? { ...file, "read-only": readOnly }
        : { driver: "qcow2", file, "read-only": readOnly };
    }
    case "null":
      return { driver: "null-co", size: disk.size, "read-zeroes": true };
    case "nbd": {
      const { socket, export: name, reconnectDelay, discard } = disk;
      const server = { type: "unix", path: socket };
      return { driver: "nbd", server, export: name, "reconnect-delay": reconnectDelay, discard };
    }
  }
}

/** The nested keys of a node for QEMU's command line: `cache.direct=on`. */
function dotted(node: BlockNode, prefix = ""): Record<string, string | number | undefined> {
  const pairs = Object.entries(node).map(([key, value]) => {
    if (typeof value === "object") return dotted(value, `${prefix}${key}.`);
    return { [prefix + key]: typeof value === "boolean" ? (value ? "on" : "off") : value };
  });
  return Object.assign({}, ...pairs);
}

/** `rbd:POOL/[NAMESPACE/]IMAGE:id=USER:conf=PATH`; source: qemu_rbd_parse_filename in QEMU's block/rbd.c. */
export function rbdName({ pool, namespace, image, user, conf }: RbdDisk): string {
  const path = [pool, ...(namespace ? [namespace] : []), image].map(rbdEscape).join("/");
  return `rbd:${path}:id=${rbdEscape(user)}:conf=${rbdEscape(conf)}`;
}

function ioThreadOptions({ iothread, iothreads = 1 }: VmSettings): Options {
  if (!iothread) return [];
  return Array.from({ length: iothreads }, (_, index) => ["-object", `iothread,id=iothread${index}`]);
}

function virtioOption(settings: VmSettings, disk: Disk): string[] {
  const { iothread, iothreads = 1, packed } = settings;
  const device = {
    drive: nodeName(disk),
    id: "virtioblk0",
    ...queues(settings),
    ...(packed && { packed: "on" }),
  };
  if (iothread && iothreads > 1) {
    // A list of objects needs the JSON form of -device.
    const mapping = Array.from({ length: iothreads }, (_, index) => ({ iothread: `iothread${index}` }));
    return [
      "-device",
      JSON.stringify({ driver: "virtio-blk-pci", ...device, "iothread-vq-mapping": mapping }),
    ];
  }
  return [
    "-device",
    keyValues("virtio-blk-pci", { iothread: iothread ? "iothread0" : undefined, ...device }),
  ];
}

function scsiOptions({ iothread, queues }: VmSettings, disk: Disk): Options {
  const controller = { iothread: iothread ? "iothread0" : undefined, num_queues: queues };
  return [
    ["-device", keyValues("virtio-scsi-pci", { id: "scsi0", ...controller })],
    ["-device", keyValues("scsi-hd", { bus: "scsi0.0", drive: nodeName(disk), id: "scsi0-0" })],
  ];
}

function nvmeOption({ queues }: VmSettings, disk: Disk): string[] {
  return [
    "-device",
    keyValues("nvme", { id: "nvme0", serial: "siphon", drive: nodeName(disk), max_ioqpairs: queues }),
  ];
}

function queues({ queues }: VmSettings): { "num-queues"?: number } {
  return queues === undefined ? {} : { "num-queues": queues };
}
