import type { Disk } from "./disk.ts";
import type { HostFacts } from "./host-facts.ts";
import type { Fact, Place } from "./place.ts";

/** The system that wrote the input: it determines what the settings mean. */
export type Platform =
  | "qemu"
  | "libvirt"
  | "proxmox"
  | "kubevirt"
  | "openstack"
  | "rook"
  | "incus"
  | "opennebula"
  | "spdk"
  | "ceph-conf";

export interface Machine {
  board: "q35" | "i440fx" | "other";
  /** The QEMU release in the type (`pc-q35-8.2`); undefined for an unversioned type. */
  release?: readonly [major: number, minor: number];
  /** No type is named: the platform's default applies. */
  byDefault: boolean;
}

/** A VM, or an input that stands for all VMs of a host or a cluster (nova.conf, a StorageClass, ceph.conf). */
export interface Vm {
  platform: Platform;
  /** The system that generated the input, if its format is another system's: fixes use the generating system's syntax. */
  managedBy?: string;
  name?: string;
  /** An id that the platform's commands take: a Proxmox VMID, a pid. */
  id?: string;
  /** Pid of the process, if a running one was examined. */
  pid?: number;
  /** Where the VM begins in the input. */
  place: Place;
  architecture: "x86" | "other";
  accelerator?: Fact<"kvm" | "tcg" | "other"> & { why?: string };
  machine?: Fact<Machine>;
  /** The CPU model's name; `value` is undefined if none is given and the platform's default is generic. */
  cpu?: Fact<string | undefined>;
  vcpus?: number;
  /** The number of vCPUs after hot-plugging, if higher. */
  maximumVcpus?: number;
  /** Bytes. */
  memory?: Fact<number>;
  hugepages?: boolean;
  cpuLimit?: Fact<{ words: string; below: boolean }>;
  numaSplit?: Fact<{ words: string; guestOnly: boolean }>;
  /** I/O threads that exist but that no disk or controller uses. */
  unusedIothreads?: Fact<number>;
  /** The I/O scheduler of each disk in the guest, by the guest's name for the disk. */
  guestSchedulers?: Fact<ReadonlyMap<string, string>>;
  disks: Disk[];
  /** Settings of the cluster, a pool or all clients, which belong to no single disk. */
  settings: Settings;
  host: HostFacts;
  /** Facts that could not be read, and why. */
  unseen: string[];
  /** Facts to read before the findings, such as changes that wait for a restart. */
  notes: string[];
}

export interface Settings {
  pwlCache?: Fact<string>;
  replicaOne?: Fact<string>;
  onePg?: Fact<string>[];
  singleMonitor?: Fact<string>;
  secure?: Fact<string>;
  /** rbd_cache_policy for all clients. */
  cachePolicy?: string;
  authNone?: Fact<string>;
  adminUser?: Fact<string>;
  tunnelled?: Fact<string>;
  obsolete?: Fact<{ option: string; why: string; harmful: boolean }>[];
  /** Options at places where nothing reads them, and that belong to no single disk. */
  misplaced?: Fact<{ option: string; why: string; belongs: string }>[];
  /** Client settings that come from elsewhere than the given ceph.conf, in words. */
  confElsewhere?: Fact<string>[];
  nearFull?: Fact<string>;
  inactivePgs?: Fact<string>;
  autoscalerOff?: Fact<string>;
  /** An erasure-coded pool without the optimizations of Ceph 20. */
  erasurePlain?: Fact<string>;
  /** A pool whose OSDs are under another root of the CRUSH map than this host. */
  otherRoot?: Fact<string>;
  /** Images behind one librados client. */
  sharedClient?: Fact<{ images: number; words: string }>;
}

/** A VM about which nothing is known yet. */
export function emptyVm(platform: Platform, place: Place): Vm {
  return {
    platform,
    place,
    architecture: "x86",
    disks: [],
    settings: {},
    host: {},
    unseen: [],
    notes: [],
  };
}
