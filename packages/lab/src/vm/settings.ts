/** The settings of a VM that a rung may change. */
export interface VmSettings {
  machine: "pc" | "q35";
  /** The disk controller that the guest sees. */
  device: "ide" | "virtio-blk" | "virtio-scsi" | "nvme";
  /** `-drive file=rbd:...` (format driver `raw` on top) or `-blockdev driver=rbd` (without). */
  syntax: "drive" | "blockdev";
  /** Serve the disk in a thread of its own instead of QEMU's main loop. */
  iothread: boolean;
  /** QEMU's cache mode; with "default" (writeback) QEMU enables librbd's cache, regardless of ceph.conf. */
  cache: "default" | "none";
  /** The study's newer-librbd step adds `aio=native`; the rbd driver ignores it. */
  aio?: "native";
  /** Request queues (`num-queues`); undefined: QEMU's default (one per vCPU since 5.2). */
  queues?: number;
  /** I/O threads that share the queues (`iothread-vq-mapping`, QEMU 9.0 and newer); default: one. */
  iothreads?: number;
  /** virtio's newer form of a queue, in one ring instead of three (`packed=on`). */
  packed?: true;
  /** Back the guest's memory with huge pages of the host. */
  hugePages?: true;
  /** The guest's block scheduler; default `none`. */
  guestScheduler?: "mq-deadline";
  /** Siphon serves the image to QEMU; default: librbd in QEMU opens it. */
  server?: "nbd" | "vhost";
  /** Differences of the image from the defaults of `rbd create`. */
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

/** The RBD image of a VM's disk, and the user that opens it. */
export interface RbdDisk {
  pool: string;
  namespace?: string;
  image: string;
  /** Ceph user without the `client.` prefix. */
  user: string;
  /** Path of the ceph.conf to read; it names the keyring. */
  conf: string;
  /** For a LUKS image: the layer that decrypts it, and the file with its passphrase. */
  luks?: { by: "librbd" | "qemu"; passphraseFile: string };
}
