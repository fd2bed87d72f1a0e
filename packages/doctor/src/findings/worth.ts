import type { Worth } from "./finding.ts";

const study = "ceph.io study of 2022-10-24 (https://ceph.io/en/news/blog/2022/qemu-kvm-tuning/)";

/** Published figures of others, each with its source. */
export const published = {
  virtio: {
    text: "2,484 -> 24.9K IOPS (x10) from the IDE default to virtio-blk",
    source: `${study}, rungs 1 -> 2`,
    factor: 10,
  },
  sata: {
    text: "4 KiB random read 20,632 -> 120,883 IOPS (x5.9) from sata to virtio",
    source: "https://github.com/cloud-bulldozer/benchmark-operator/pull/396 (hostpath volume, not RBD)",
    factor: 5.9,
  },
  lsi: {
    text: 'no figure; a VM froze under load ("ORDERED queue not implemented" in its log)',
    source: "https://github.com/fog/fog-libvirt/pull/67",
  },
  iothread: {
    text: "24.9K -> 26.0K IOPS (+4 %) by itself",
    source: `${study}, rungs 2 -> 3`,
    factor: 1.04,
  },
  iothreadKubevirt: {
    text: "32 VMs, 4 KiB 70/30, QD 32, krbd on 24 NVMe OSDs: IOPS +8.5 %, write p99 -56 %, read p99 -69 % with 2-CPU OSDs; +2 %, -25 %, -53 % with 6-CPU OSDs (single runs on different days)",
    source: "neil1taylor/storage-perf-tests docs/guides/odf-performance-best-practices.md, step 4",
    factor: 1.085,
  },
  cacheNone: {
    text: "26.0K -> 53.5K IOPS (x2.06), 16 KiB random read QD 128 on an NVMe cluster",
    source: `${study}, rungs 3 -> 4`,
    factor: 2.06,
  },
  cacheIncus: {
    text: "2 GB/s burst writes with the cache against 40 MB/s without, on its author's slow cluster",
    source: "https://github.com/canonical/lxd/pull/11473",
  },
  queueMapping: {
    text: "up to twice and more in some microbenchmarks",
    source:
      "https://developers.redhat.com/blog/2025/06/23/feature-introduction-multiple-iothreads-openshift-virtualization",
  },
  tcmalloc: {
    text: "53.5K -> 80.0K IOPS (+50 %) with tcmalloc preloaded (the published line of that step also lacks the I/O thread)",
    source: `${study}, rungs 4 -> 5`,
    factor: 1.5,
  },
  newLibrbd: {
    text: "80.0K -> 126K IOPS (x1.58) from the distribution's librbd to 16.2.9",
    source: `${study}, rungs 5 -> 6`,
    factor: 1.58,
  },
  noDifference: {
    text: "no clear difference where -blockdev without the raw node and q35 were tried together",
    source: `${study}, last step`,
  },
  secure: {
    text: "123K -> about 87K IOPS (-29 %), 16 KiB random read in one VM with messenger v2 in secure mode (librbd)",
    source: study,
  },
  krbd: {
    text: "krbd 97.8K against librbd 70.3K IOPS (2019)",
    source: "https://github.com/ceph/ceph/pull/28044",
  },
  onePg: {
    text: "about 6 times slower than the pool with a ratio",
    source: "neil1taylor/storage-perf-tests docs/guides/odf-performance-best-practices.md, section 2",
    factor: 6,
  },
  sharedClient: {
    text: "62,505 -> 115,457 IOPS (x1.85), 4 KiB random write over 8 images",
    source: "https://github.com/spdk/spdk/issues/2580",
    factor: 1.85,
  },
  qcow2: {
    text: "no figure; with a cache, live migration can corrupt its metadata",
    source: "https://github.com/ceph/ceph/pull/1209",
  },
} satisfies Record<string, Worth>;
