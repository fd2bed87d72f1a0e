/** Everything that a rung may change about a VM; a rung is a change to these. */
export interface VmSettings {
  machine: "pc" | "q35";
  /** The disk controller that the guest sees. */
  device: "ide" | "virtio-blk" | "virtio-scsi" | "nvme";
  /** `-drive file=rbd:...` (format driver `raw` on top) or `-blockdev driver=rbd` (without). */
  syntax: "drive" | "blockdev";
  /** Serve the disk in a thread of its own instead of QEMU's main loop. */
  iothread: boolean;
  /** QEMU's cache mode; with "default" (writeback) QEMU turns librbd's cache on whatever ceph.conf says. */
  cache: "default" | "none";
  /** The study's newer-librbd step adds `aio=native`; the rbd driver ignores it. */
  aio?: "native";
  /** Request queues (`num-queues`); QEMU's own default (one a vCPU since 5.2) when not given. */
  queues?: number;
  /** I/O threads that share the queues (`iothread-vq-mapping`, QEMU 9.0 and newer); one when not given. */
  iothreads?: number;
  /** virtio's newer form of a queue, in one ring instead of three (`packed=on`). */
  packed?: true;
  /** Huge pages of the host behind the guest's memory. */
  hugePages?: true;
  /** The guest's block scheduler; `none` when not given. */
  guestScheduler?: "mq-deadline";
  /** Siphon's own client serves the image to QEMU; librbd in QEMU opens it when not given. */
  server?: "nbd" | "vhost";
  /** How the image differs from one that `rbd create` makes. */
  image?: { objectSize?: number; luks?: "librbd" | "qemu" };
  allocator: "libc" | "tcmalloc" | "jemalloc";
  /** Directory of another librbd build, put in LD_LIBRARY_PATH. */
  librbdDir?: string;
  /** Directory with an rbd module for that librbd, put in QEMU_MODULE_DIR. */
  moduleDir?: string;
  /** Ceph client options in the configuration file that QEMU's librbd reads. */
  clientOptions: Record<string, string>;
}

/** QEMU's defaults for `qemu-system-x86_64 -drive format=raw,file=rbd:...`. */
export const qemuDefaults: VmSettings = {
  machine: "pc",
  device: "ide",
  syntax: "drive",
  iothread: false,
  cache: "default",
  allocator: "libc",
  clientOptions: {},
};

/** The RBD image behind a VM's disk, and as whom to open it. */
export interface RbdDisk {
  pool: string;
  namespace?: string;
  image: string;
  /** Ceph user without the `client.` prefix. */
  user: string;
  /** Path of the ceph.conf to read; it names the keyring. */
  conf: string;
  /** A LUKS image: the layer that opens it, and the file with its passphrase. */
  luks?: { by: "librbd" | "qemu"; passphraseFile: string };
}
