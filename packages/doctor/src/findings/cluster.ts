import type { Finding } from "./finding.ts";
import { published } from "./worth.ts";

export const clusterFindings: readonly Finding[] = [
  {
    id: "pool-one-pg",
    title: "The pool starts with one placement group",
    severity: "medium",
    when: "A CephBlockPool without targetSizeRatio or target_size_ratio, bulk, pg_num or pg_num_min.",
    not: "One of them is given; the pool is not in the input.",
    why: "Without a hint the autoscaler starts the pool with very few PGs, and adds more only as it fills: until then few OSDs do all the work.",
    worth: published.onePg,
    wrong: "For a pool that stays small and idle.",
    takes: "live",
    fix: {
      rook: 'CephBlockPool spec.replicated.targetSizeRatio: 0.1, or spec.parameters: {bulk: "true"}',
      kubevirt: 'CephBlockPool spec.replicated.targetSizeRatio: 0.1, or spec.parameters: {bulk: "true"}',
      any: "ceph osd pool set POOL bulk true",
    },
    vm: ({ settings: { onePg } }) =>
      onePg === undefined || onePg.length === 0
        ? undefined
        : {
            place: onePg[0]!.place,
            why: `${onePg.map(({ value }) => value).join(", ")}: no hint of the expected size, so the autoscaler starts with very few PGs and adds more only as the pool fills.`,
          },
  },
  {
    id: "replica-one",
    title: "One copy of everything",
    severity: "high",
    when: "The pool's size is 1, or osd_pool_default_size = 1.",
    not: "Size 3.",
    why: "The loss of one device destroys every disk with an object on it, which is every disk.",
    worth: null,
    wrong: "For data that can be recreated, on a test cluster.",
    takes: "live",
    fix: {
      rook: "replicated.size: 3 on each CephBlockPool (and osd_pool_default_size = 3)",
      any: "osd_pool_default_size = 3, and ceph osd pool set POOL size 3 for each pool",
    },
    vm: ({ settings: { replicaOne } }) =>
      replicaOne === undefined ? undefined : { place: replicaOne.place },
  },
  {
    id: "single-librados-client",
    title: "Many images behind one librados client",
    severity: "high",
    when: "SPDK's cluster_name shared by several bdevs; ceph-nvmeof's bdevs_per_cluster above 8.",
    not: "QEMU, which has a client for each disk; one bdev per cluster.",
    why: "All images share one client, whose few messenger threads are saturated long before the cluster is.",
    worth: published.sharedClient,
    wrong:
      "If there are hundreds of idle images: each client costs memory, threads and sessions with every OSD.",
    takes: "restart",
    fix: {
      spdk: "register several clusters (bdev_rbd_register_cluster) and spread cluster_name over them",
      "ceph-nvmeof": "bdevs_per_cluster = 8 or fewer in [spdk]",
      any: "spread the images over several clients",
    },
    vm: ({ settings: { sharedClient } }) =>
      sharedClient === undefined
        ? undefined
        : {
            place: sharedClient.place,
            why: `${sharedClient.value.words}: they share one librados client and its few messenger threads.`,
            ...(sharedClient.value.images < 4 && { severity: "medium" as const }),
          },
  },
  {
    id: "pool-nearfull",
    title: "OSDs or pools are nearly full",
    severity: "high",
    when: "The cluster's health has OSD_NEARFULL, OSD_BACKFILLFULL, OSD_FULL, or the same of a pool.",
    not: "Health without them.",
    why: "When one OSD is full, every write to the pools that it serves blocks, and so do the VMs.",
    worth: null,
    wrong: "Never.",
    takes: "live",
    fix: {
      any: "ceph osd df shows them: add OSDs, balance (ceph balancer on), or remove unneeded data; fstrim with discard frees space",
    },
    vm: ({ settings: { nearFull } }) =>
      nearFull === undefined
        ? undefined
        : {
            place: nearFull.place,
            why: `${nearFull.value}: when one OSD is full, every write to the pools that it serves blocks.`,
          },
  },
  {
    id: "pgs-inactive",
    title: "PGs are inactive",
    severity: "high",
    when: "The cluster's health has PG_AVAILABILITY.",
    not: "All PGs are active.",
    why: "Reads and writes of their objects wait until the PGs are active: VMs hang.",
    worth: null,
    wrong: "Never.",
    takes: "live",
    fix: { any: "ceph health detail names the PGs and the OSDs that they wait for" },
    vm: ({ settings: { inactivePgs } }) =>
      inactivePgs === undefined
        ? undefined
        : { place: inactivePgs.place, why: `${inactivePgs.value}: reads and writes of their objects wait.` },
  },
  {
    id: "autoscaler-off",
    title: "The PG autoscaler is off for the pool",
    severity: "info",
    when: "pg_autoscale_mode of the pool is off or warn.",
    not: "It is on.",
    why: "The number of PGs stays at its initial value, however large the pool grows.",
    worth: null,
    wrong: "If the number was computed for the pool's size, leave it.",
    takes: "live",
    fix: {
      any: "ceph osd pool set POOL pg_autoscale_mode on, after a look at ceph osd pool autoscale-status",
    },
    vm: ({ settings: { autoscalerOff } }) =>
      autoscalerOff === undefined
        ? undefined
        : {
            place: autoscalerOff.place,
            why: `${autoscalerOff.value}: the number of PGs stays the same, however large the pool grows.`,
          },
  },
  {
    id: "erasure-unoptimized",
    title: "An erasure-coded pool without optimizations",
    severity: "low",
    when: "The data of a disk is in an erasure-coded pool without allow_ec_optimizations.",
    not: "Replicated pools; allow_ec_optimizations is on.",
    why: "A write smaller than a stripe reads the whole stripe from its OSDs and writes all of it, and a small read goes to every OSD that has a part of the stripe.",
    worth: null,
    wrong:
      "Until all OSDs run Ceph 20 (Tentacle), it cannot be switched on; once on, it cannot be switched off.",
    takes: "live",
    fix: {
      any: "ceph osd pool set POOL allow_ec_optimizations on (Ceph 20 or newer); before, a replicated pool for disks with small writes",
    },
    vm: ({ settings: { erasurePlain } }) =>
      erasurePlain === undefined
        ? undefined
        : {
            place: erasurePlain.place,
            why: `${erasurePlain.value}: a write smaller than a stripe reads and writes all of the stripe.`,
          },
  },
  {
    id: "pool-other-root",
    title: "The pool's OSDs are under another CRUSH root than this host",
    severity: "info",
    when: "The CRUSH map names this host under one root, and the pool's rule takes OSDs from another.",
    not: "The map does not name the host, because it runs no OSDs.",
    why: "Roots often represent rooms, sites or classes of hardware: every I/O then leaves the host's own one.",
    worth: null,
    wrong: "If the roots represent hardware (a root of SSDs), not places.",
    takes: "new images",
    fix: { any: "use a pool whose rule takes this host's root: rbd migration moves the image there" },
    vm: ({ settings: { otherRoot } }) =>
      otherRoot === undefined ? undefined : { place: otherRoot.place, why: `${otherRoot.value}.` },
  },
];
