/** A ladder rung's title and why it helps: findings, explanations and measurements share these words. */
export interface RungWords {
  /** Shown in tables and charts; starts with `+` when it adds to the rung before. */
  title: string;
  /** Why the setting matters, in one sentence. */
  why: string;
}

/** The rungs of the ladder that findings name. */
export const rungWords = {
  "virtio-blk": {
    title: "+ virtio-blk",
    why: "A paravirtual disk accepts many requests at once through a ring in memory, with one notification per batch.",
  },
  iothread: {
    title: "+ iothread",
    why: "A separate thread serves the disk, so requests no longer wait for QEMU's main loop and its global lock.",
  },
  "cache-none": {
    title: "+ cache=none",
    why: "By default QEMU turns librbd's cache on, whatever ceph.conf says; on a fast cluster the cache costs more than it saves.",
  },
  tcmalloc: {
    title: "+ tcmalloc",
    why: "librbd allocates many small short-lived objects on several threads, which libc's allocator handles badly.",
  },
  "new-librbd": {
    title: "+ newer librbd",
    why: "librbd's I/O path was rewritten on boost::asio for Ceph 16, with fewer hand-offs between threads.",
  },
  blockdev: {
    title: "+ blockdev",
    why: "The newer -blockdev syntax leaves the raw format driver out, one layer less for each request.",
  },
  q35: {
    title: "+ q35",
    why: "A modern machine type: PCI Express and MSI-X instead of a chipset from 1996.",
  },
  multiqueue: {
    title: "+ multiqueue",
    why: "One virtio queue per vCPU, so that vCPUs submit without a shared lock; with QEMU 9 or newer, I/O threads share the queues.",
  },
  secure: {
    title: "+ encryption on the wire",
    why: "The cost of AES-128-GCM between client and cluster (ms_client_mode=secure), in addition to all settings above.",
  },
} satisfies Record<string, RungWords>;

export type RungName = keyof typeof rungWords;
