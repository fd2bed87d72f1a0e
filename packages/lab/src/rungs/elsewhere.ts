/** A setting that people look for among the rungs. */
export interface NoRung {
  name: string;
  title: string;
  /** Why it is not a rung, and where it is measured instead. */
  reason: string;
  source: string;
}

/** Settings that cannot be rungs, because their figures would not be comparable. */
export const noRungs: readonly NoRung[] = [
  {
    name: "qemu-storage-daemon",
    title: "qemu-storage-daemon over vhost-user-blk",
    reason:
      "librbd in QEMU's storage daemon: that does not count the bytes of its exports, by which slices are measured, and with the daemon of QEMU 7.2 a guest that was stopped under load does not go on. npm run bench:attach measures it without a guest.",
    source: "https://www.qemu.org/docs/master/tools/qemu-storage-daemon.html",
  },
  {
    name: "krbd",
    title: "kernel RBD on the host, io_uring in QEMU",
    reason:
      "the kernel's own threads do the work of RBD, and CPU time of theirs is no process's: the CPU per I/O of such a VM would leave it out. siphon baseline measures kernel RBD (engines krbd and krbd-io-uring), where this host's kernel has the module.",
    source: "https://docs.ceph.com/en/latest/man/8/rbd/",
  },
  {
    name: "krbd-in-guest",
    title: "kernel RBD in the guest",
    reason:
      "the guest is then a client of the cluster, and QEMU has no disk whose bytes could be counted. siphon baseline measures it in a guest, where this host's kernel has no such module.",
    source: "https://docs.ceph.com/en/latest/man/8/rbd/",
  },
  {
    name: "msgr-compression",
    title: "compression on the wire",
    reason:
      "ms_osd_compress_mode (Ceph 17 and newer) concerns what OSDs send to each other: an OSD answers every client that it does not compress.",
    source: "https://docs.ceph.com/en/latest/rados/configuration/msgr2/",
  },
];
