import type { Fact, Place } from "./place.ts";

/** Whether a setting was written, made by the platform, or left to a default. */
export type Chosen = "written" | "platform" | "nobody";

/** Only a data disk is a data path: the other kinds are asked for nothing but what names them. */
export type DiskKind = "data" | "cdrom" | "cloudinit" | "efivars" | "other";

/** The bus that a guest sees; `none` where the input has no device (a StorageClass, nova.conf). */
export type Bus = "ide" | "sata" | "virtio-blk" | "virtio-scsi" | "lsi" | "other" | "none";

/** How the bytes of a disk get to the cluster. */
export type Driver = "librbd" | "krbd" | "rbd-nbd" | "other";

export interface Source {
  driver: Driver;
  place: Place;
  pool?: string;
  namespace?: string;
  image?: string;
  /** Another place of the data: a file, a device. */
  path?: string;
  /** A claim of Kubernetes of which neither the volume nor the class is shown. */
  hiddenClaim?: string;
  /** The Ceph user without `client.`; undefined where the input cannot show it, "" where none is given. */
  user?: Fact<string>;
  /** Monitor addresses given to this disk; undefined where ceph.conf is read. */
  monitors?: Fact<readonly string[]>;
  /** A key stands in the open. */
  key?: Place;
  /** Authentication is off for this client. */
  authNone?: Place;
  /** Client options that go with the disk, under Ceph's names. */
  options?: ReadonlyMap<string, Fact<string>>;
  /** The ceph.conf that the disk names. */
  conf?: string;
  /** Options of the kernel's mapping; undefined where the mapping is not shown. */
  map?: Fact<{ options: ReadonlyMap<string, string>; given: boolean }>;
}

/** The thread that works a disk's requests. */
export interface Iothread {
  /**
   * `none`: QEMU's main loop. `own` or `pool`: a thread, or several mapped to queues. `ignored`: asked for and without effect.
   * `unsettable`: the platform has no such setting here.
   */
  state: "none" | "used" | "mapped" | "ignored" | "unsettable";
  /** Disks with the same name share the thread. */
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
  /** The mode's name where one was written. */
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
  /** The object map is marked invalid, and librbd does without it. */
  objectMapInvalid?: boolean;
  /** Holder of the lock that does not watch the image. */
  staleLock?: string;
  /** Clients that have the image open, where there are several. */
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
  /** A number of queues that was written; `default` is the machine type's own where none was. */
  queues?: Fact<number> & { explicit: boolean };
  cache?: Cache;
  /** aio= or io=. */
  aio?: Fact<string> & { chosen: Chosen };
  /** Whether TRIM reaches the image; undefined where the platform decides it elsewhere. */
  discard?: Fact<boolean>;
  detectZeroes?: Fact<string>;
  format?: Fact<string>;
  /** Nodes between the device and the rbd node that do nothing. */
  bareLayers?: Fact<string>;
  throttle?: Fact<string>;
  misplaced?: Fact<{ option: string; why: string; belongs: string }>[];
  image?: ImageFacts;
  /** The whole setting as it was written, where the platform has one line for a disk. */
  written?: string;
  /** The guest cannot write to it. */
  readOnly?: boolean;
  /** This is a template that clones are made of. */
  template?: boolean;
  /** The EFI variable store is kept cached by the platform itself. */
  efivarsCached?: boolean;
}

export function isRbd({ source }: Disk): boolean {
  return source.driver !== "other";
}

/** Whether the disk is a data path into an RBD image. */
export function isData(disk: Disk): boolean {
  return disk.kind === "data" && isRbd(disk);
}
