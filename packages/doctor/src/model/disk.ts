import type { Fact, Place } from "./place.ts";

/** Whether a setting was written, added by the platform, or left to a default. */
export type Chosen = "written" | "platform" | "nobody";

/** Only data disks are data paths. Other kinds are checked only by findings about their kind. */
export type DiskKind = "data" | "cdrom" | "cloudinit" | "efivars" | "other";

/** The bus that a guest sees; `none` if the input has no device (a StorageClass, nova.conf). */
export type Bus = "ide" | "sata" | "virtio-blk" | "virtio-scsi" | "lsi" | "other" | "none";

/** How a disk's data reach the cluster. */
export type Driver = "librbd" | "krbd" | "rbd-nbd" | "other";

export interface Source {
  driver: Driver;
  place: Place;
  pool?: string;
  namespace?: string;
  image?: string;
  /** Where the data are if not on RBD: a file, a device. */
  path?: string;
  /** A Kubernetes claim whose volume and class are not shown. */
  hiddenClaim?: string;
  /** The Ceph user without `client.`; undefined if the input cannot show it, "" if none is given. */
  user?: Fact<string>;
  /** Monitor addresses given to this disk; undefined if they come from ceph.conf. */
  monitors?: Fact<readonly string[]>;
  /** Where a key is written in plain text. */
  key?: Place;
  /** Where authentication is turned off for this client. */
  authNone?: Place;
  /** Client options of this disk, by Ceph's names. */
  options?: ReadonlyMap<string, Fact<string>>;
  /** The ceph.conf that the disk names. */
  conf?: string;
  /** Options of the kernel client's mapping; undefined if the mapping is not shown. */
  map?: Fact<{ options: ReadonlyMap<string, string>; given: boolean }>;
}

/** The thread that processes a disk's requests. */
export interface Iothread {
  /**
   * `none`: QEMU's main loop. `own` or `pool`: a thread, or several mapped to queues. `ignored`: asked for and without effect.
   * `unsettable`: the platform has no such setting here.
   */
  state: "none" | "used" | "mapped" | "ignored" | "unsettable";
  /** Disks with the same thread name share it. */
  thread?: string;
  place: Place;
  /** Why it has no effect. */
  why?: string;
}

export interface Cache {
  /** cache.direct in effect: for librbd its cache is off, for files and devices O_DIRECT. */
  direct: boolean;
  /** Flushes of the guest are dropped. */
  noFlush: boolean;
  /** The mode's name, if one was written. */
  mode?: string;
  chosen: Chosen;
  place: Place;
}

/** Facts of the image itself, from `rbd info` or the cluster. */
export interface ImageFacts {
  place: Place;
  features?: readonly string[];
  parent?: string;
  /** Number of the image's ancestors. */
  cloneDepth?: number;
  /** Bytes. */
  objectSize?: number;
  snapshots?: number;
  /** The object map is marked invalid, so librbd does not use it. */
  objectMapInvalid?: boolean;
  /** A lock holder that does not watch the image. */
  staleLock?: string;
  /** Clients that have the image open, if there are several. */
  watchers?: readonly string[];
  /** rbd_* settings that override the client's. */
  overrides?: readonly { name: string; value: string; source: "image" | "pool" }[];
}

export interface Disk {
  /** The name that the platform uses. */
  name: string;
  place: Place;
  kind: DiskKind;
  bus: Fact<Bus> & { why?: string };
  source: Source;
  iothread?: Iothread;
  /** The number of queues: written, or the machine type's default. */
  queues?: Fact<number> & { explicit: boolean };
  cache?: Cache;
  /** aio= or io=. */
  aio?: Fact<string> & { chosen: Chosen };
  /** Whether TRIM reaches the image; undefined if the platform decides it elsewhere. */
  discard?: Fact<boolean>;
  detectZeroes?: Fact<string>;
  format?: Fact<string>;
  /** Nodes between the device and the rbd node that have no effect. */
  bareLayers?: Fact<string>;
  throttle?: Fact<string>;
  misplaced?: Fact<{ option: string; why: string; belongs: string }>[];
  image?: ImageFacts;
  /** The whole setting as written, if the platform has one line for a disk. */
  written?: string;
  /** The guest cannot write to the disk. */
  readOnly?: boolean;
  /** The disk is a template for clones. */
  template?: boolean;
  /** The platform itself keeps the EFI variable store cached. */
  efivarsCached?: boolean;
}

export function isRbd({ source }: Disk): boolean {
  return source.driver !== "other";
}

/** Whether the disk is a data path into an RBD image. */
export function isData(disk: Disk): boolean {
  return disk.kind === "data" && isRbd(disk);
}
