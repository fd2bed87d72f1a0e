/**
 * Feature bits of a connection (src/include/ceph_features.h), by release. A bit says that this client understands what daemons
 * then send and do; it is announced only if that is so. Bits of file system clients and of daemons among themselves are left out,
 * and so are retired ones: no daemon from Nautilus on looks at these.
 */
const bits = {
  // Up to Jewel: encodings of messages, and what CRUSH maps may contain.
  NOSRCADDR: 1,
  SUBSCRIBE2: 4,
  MONNAMES: 5,
  RECONNECT_SEQ: 6,
  OBJECTLOCATOR: 8,
  PGID64: 9,
  INCSUBOSDMAP: 10,
  PGPOOL3: 11,
  OSDREPLYMUX: 12,
  OSDENC: 13,
  MONENC: 15,
  CRUSH_TUNABLES: 18,
  MSG_AUTH: 23,
  CRUSH_TUNABLES2: 25,
  CREATEPOOLID: 26,
  OSDHASHPSPOOL: 30,
  OSD_CACHEPOOL: 35,
  CRUSH_V2: 36,
  OSDMAP_ENC: 39,
  /** Also OSD_PRIMARY_AFFINITY. */
  CRUSH_TUNABLES3: 41,
  MSGR_KEEPALIVE2: 42,
  OSD_POOLRESEND: 43,
  OSD_FADVISE_FLAGS: 46,
  CRUSH_V4: 48,
  NEW_OSDOP_ENCODING: 56,
  /** Also MON_STATEFUL_SUB, and half of what makes the bits that were used twice mean their second use. */
  SERVER_JEWEL: 57,
  /** Also NEW_OSDOPREPLY_ENCODING. */
  CRUSH_TUNABLES5: 58,
  SERVER_KRAKEN: 14,
  MSG_ADDR2: 59,
  /** Also RESEND_ON_SPLIT, RADOS_BACKOFF, OSDMAP_PG_UPMAP, CRUSH_CHOOSE_ARGS. */
  SERVER_LUMINOUS: 21,
  /** The other half: bits used a third time. */
  SERVER_MIMIC: 28,
  CEPHX_V2: 61,
  SERVER_NAUTILUS: 2,
  SERVER_OCTOPUS: 16,
  SERVER_PACIFIC: 20,
  /** Placement in stretch mode. */
  STRETCH_MODE: 32,
  /** Descriptions of commands with JSON booleans; CRUSH rules without sizes. */
  SERVER_QUINCY: 33,
  /** Networks in the blocklist. */
  RANGE_BLOCKLIST: 34,
  /** `ceph osd pg-upmap-primary`. */
  SERVER_REEF: 31,
  /** Rules that try several OSDs of a host again together. */
  CRUSH_MSR: 38,
  SERVER_SQUID: 49,
  /** Pools with EC optimizations: requests name the shard that is right where a temporary set is stored with primaries first. */
  SERVER_TENTACLE: 50,
} as const;

export type FeatureName = keyof typeof bits;

/** The bits of these features together. */
export function featureMask(...names: readonly FeatureName[]): bigint {
  return names.reduce((mask, name) => mask | (1n << BigInt(bits[name])), 0n);
}

export const supportedFeatures: bigint = featureMask(...(Object.keys(bits) as FeatureName[]));

/** Features that a daemon must have for this client to talk to it: Luminous and newer. */
export const requiredFeatures: bigint = featureMask("SERVER_LUMINOUS", "SERVER_JEWEL");
