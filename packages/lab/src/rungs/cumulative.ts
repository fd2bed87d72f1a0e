import { rungWords } from "@siphon/doctor";
import { needs, type Rung } from "./rung.ts";

/** The default ladder: each rung adds one setting to the previous ones, which shows each setting's effect. */
export const cumulativeRungs: Rung[] = [
  {
    name: "ide",
    title: "default (IDE)",
    why: "What a bare -drive gives: an emulated IDE disk that takes one request at a time, and a VM exit for each step of it.",
    change: () => ({}),
  },
  {
    name: "virtio-blk",
    ...rungWords["virtio-blk"],
    // One queue, so that the multiqueue rung only adds queues.
    change: () => ({ device: "virtio-blk", queues: 1 }),
  },
  {
    name: "iothread",
    ...rungWords.iothread,
    change: () => ({ iothread: true }),
  },
  {
    name: "cache-none",
    ...rungWords["cache-none"],
    change: () => ({ cache: "none" }),
  },
  {
    name: "tcmalloc",
    ...rungWords.tcmalloc,
    change: () => ({ allocator: "tcmalloc" }),
    missing: needs.tcmalloc,
  },
  {
    name: "jemalloc",
    title: "jemalloc in its place",
    why: "The other allocator for many threads: the same VM as the rung before, with jemalloc preloaded instead.",
    change: () => ({ allocator: "jemalloc" }),
    missing: needs.jemalloc,
    aside: true,
  },
  {
    name: "new-librbd",
    ...rungWords["new-librbd"],
    change: ({ librbdDir }) => ({ librbdDir, moduleDir: undefined }),
    missing: needs.librbd,
  },
  {
    name: "blockdev",
    ...rungWords.blockdev,
    change: () => ({ syntax: "blockdev" }),
  },
  {
    name: "q35",
    ...rungWords.q35,
    change: () => ({ machine: "q35" }),
  },
  {
    name: "multiqueue",
    ...rungWords.multiqueue,
    change: ({ cpus, qemuMajor }) => ({
      queues: cpus,
      ...(qemuMajor >= 9 && { iothreads: Math.min(cpus, 4) }),
    }),
  },
  {
    name: "librados-threads",
    title: "+ one librados thread",
    why: "librados_thread_count=1: completions run on one thread, without the hand-offs and lock contention of a second one.",
    change: () => ({ clientOptions: { librados_thread_count: "1" } }),
  },
  {
    name: "siphon-nbd",
    title: "siphon over NBD in librbd's place",
    why: "Siphon's own client serves the image over NBD to the VM of the rung before: no librbd, and no threads that hand operations on.",
    change: () => ({ server: "nbd" }),
    aside: true,
  },
  {
    name: "siphon-vhost",
    title: "siphon over vhost-user-blk in librbd's place",
    why: "Siphon's own client works directly on the guest's rings and memory, without QEMU's block layer and without librbd.",
    change: () => ({ server: "vhost" }),
    aside: true,
  },
  {
    name: "secure",
    ...rungWords.secure,
    change: () => ({ clientOptions: { ms_client_mode: "secure", ms_mon_client_mode: "secure" } }),
    missing: needs.secure,
  },
  {
    name: "siphon-nbd-secure",
    title: "siphon over NBD, encrypted",
    why: "The same encryption by siphon's own client: one pass of AES for a whole frame.",
    change: () => ({ server: "nbd" }),
    missing: needs.secure,
    aside: true,
  },
  {
    name: "siphon-vhost-secure",
    title: "siphon over vhost-user-blk, encrypted",
    why: "The shortest way from the guest's rings to the cluster, with encryption.",
    change: () => ({ server: "vhost" }),
    missing: needs.secure,
    aside: true,
  },
];
