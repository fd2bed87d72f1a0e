/**
 * The figures of the study that the lab replays, as published: Mark Nelson, "QEMU/KVM + Ceph Librbd Performance", 24
 * October 2022. Figures are from its text if given there, otherwise read from its charts. Each is a single run.
 */
export const source = {
  title: "QEMU/KVM + Ceph Librbd Performance",
  author: "Mark Nelson",
  date: "2022-10-24",
  url: "https://ceph.io/en/news/blog/2022/qemu-kvm-tuning/",
  setup: {
    osds: 30,
    osdHosts: 5,
    replicas: 3,
    cpu: "AMD EPYC 7742, 64 cores",
    network: "100 GbE",
    ceph: "16.2.9",
    qemu: "6.2.0",
    blockSize: 16_384,
    ioDepth: 128,
    seconds: 300,
  },
} as const;

/** Random reads of 16 KiB in the VM, IOPS, step by step. */
export const ladder = {
  ide: 2_484,
  virtioBlk: 24_900,
  iothread: 26_000,
  cacheNone: 53_500,
  tcmalloc: 80_000,
  newLibrbd: 126_000,
} as const;

/** The bigger test: a 2,000 GB file on XFS. Sequential writes of 4 MiB at depth 16, the rest 16 KiB at depth 128. */
export const xfs = {
  sequentialWrite: { iops: 607, bytesPerSecond: 2_429 * 2 ** 20 },
  randomRead: { iops: 123_000, bytesPerSecond: 1_916 * 2 ** 20 },
  randomWrite: { iops: 64_100, bytesPerSecond: 1_001 * 2 ** 20 },
  randomReadSecure: { iops: 87_000 },
} as const;

/** `-drive` on the default machine against `-blockdev` on q35, on the bigger test's file: IOPS (chart). */
export const blockdevQ35 = {
  drive: { randomRead: 122_900, randomWrite: 64_500 },
  blockdev: { randomRead: 119_200, randomWrite: 67_300 },
} as const;

/** Without a VM: fio at the cluster, random reads of 16 KiB, IOPS (chart). */
export const baseline = [
  { cluster: "1 OSD", librbd: 39_077, krbd: 51_289 },
  { cluster: "5 OSDs, 1 node", librbd: 115_400, krbd: 116_418 },
  { cluster: "30 OSDs, 5 nodes", librbd: 122_524, krbd: 107_259 },
] as const;

/** The same through librbd on all 30 OSDs, by messenger, IOPS (chart). */
export const baselineByWire = [
  { wire: "v1, auth none", iops: 122_000 },
  { wire: "v2, crc", iops: 122_900 },
  { wire: "v2, secure", iops: 108_100 },
] as const;

/** `openssl speed -evp aes-128-gcm -decrypt`: thousands of bytes a second by block size in bytes. */
export const opensslDecrypt: Readonly<Record<number, number>> = {
  16: 321_729.96,
  64: 1_099_093.4,
  256: 2_269_449.47,
  1024: 3_429_211.27,
  8192: 3_995_912.87,
  16384: 4_038_464.85,
};
