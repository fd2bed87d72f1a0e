import { needs, type Rung } from "./rung.ts";

const virtio = { device: "virtio-blk" } as const;

/**
 * The study's steps exactly as published, each as changes of QEMU's defaults. They are not cumulative: the tcmalloc
 * step drops the I/O thread, the next step restores it together with aio=native and a newer librbd, and the last
 * changes both the drive syntax and the machine type.
 */
export const publishedRungs: Rung[] = [
  {
    name: "ide",
    title: "default (IDE)",
    why: "The study's step 1: QEMU's defaults.",
    change: () => ({}),
  },
  {
    name: "virtio-blk",
    title: "virtio-blk",
    why: "The study's step 2: a paravirtual disk.",
    change: () => virtio,
  },
  {
    name: "iothread",
    title: "+ iothread",
    why: "The study's step 3: a separate I/O thread for the disk.",
    change: () => ({ ...virtio, iothread: true }),
  },
  {
    name: "cache-none",
    title: "+ cache=none",
    why: "The study's step 4: librbd's cache off.",
    change: () => ({ ...virtio, iothread: true, cache: "none" }),
  },
  {
    name: "tcmalloc",
    title: "tcmalloc, no iothread",
    why: "The study's step 5: tcmalloc preloaded; its command line leaves the I/O thread out.",
    change: () => ({ ...virtio, cache: "none", allocator: "tcmalloc" }),
    missing: needs.tcmalloc,
  },
  {
    name: "new-librbd",
    title: "newer librbd, iothread, aio=native",
    why: "The study's step 6: librbd 16.2.9 built from source; the I/O thread is back, and aio=native is new.",
    change: ({ librbdDir }) => ({
      ...virtio,
      iothread: true,
      cache: "none",
      aio: "native",
      allocator: "tcmalloc",
      librbdDir,
      moduleDir: undefined,
    }),
    missing: (offers) => needs.librbd(offers) ?? needs.tcmalloc(offers),
  },
  {
    name: "blockdev-q35",
    title: "blockdev and q35",
    why: "The study's further step: -blockdev syntax and the q35 machine type, changed together.",
    change: ({ librbdDir }) => ({
      ...virtio,
      machine: "q35",
      syntax: "blockdev",
      iothread: true,
      cache: "none",
      allocator: "tcmalloc",
      librbdDir,
      moduleDir: undefined,
    }),
    missing: needs.tcmalloc,
  },
];
