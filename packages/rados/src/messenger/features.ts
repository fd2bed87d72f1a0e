/**
 * Feature bits of a connection (src/include/ceph_features.h), by release. The client announces a bit only if it
 * supports the feature. Bits of file system clients, bits between daemons, and retired bits, which daemons since
 * Nautilus ignore, are omitted.
 */
const bits = {
  // Up to Jewel: encodings of messages, and features of CRUSH maps.
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
  /** Also MON_STATEFUL_SUB, and half of the marker that selects the second meaning of reused bits. */
  SERVER_JEWEL: 57,
  /** Also NEW_OSDOPREPLY_ENCODING. */
  CRUSH_TUNABLES5: 58,
  SERVER_KRAKEN: 14,
  MSG_ADDR2: 59,
  /** Also RESEND_ON_SPLIT, RADOS_BACKOFF, OSDMAP_PG_UPMAP, CRUSH_CHOOSE_ARGS. */
  SERVER_LUMINOUS: 21,
  /** The other half of the marker, for the third meaning of reused bits. */
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
  /** Multi-step-retry rules. */
  CRUSH_MSR: 38,
  SERVER_SQUID: 49,
  /**
   * Pools with EC optimizations: requests name the shard correctly for a temporary set that is stored with primaries
   * first.
   */
  SERVER_TENTACLE: 50,
} as const;

export type FeatureName = keyof typeof bits;

/** The mask of these features. */
export function featureMask(...names: readonly FeatureName[]): bigint {
  return names.reduce((mask, name) => mask | (1n << BigInt(bits[name])), 0n);
}

export const supportedFeatures: bigint = featureMask(...(Object.keys(bits) as FeatureName[]));

/** Features that this client requires of daemons: Luminous and newer. */
export const requiredFeatures: bigint = featureMask("SERVER_LUMINOUS", "SERVER_JEWEL");
