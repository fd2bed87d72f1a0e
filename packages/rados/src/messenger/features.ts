/**
 * Feature bits of a connection (src/include/ceph_features.h). What we advertise decides how daemons encode
 * what they send us; what is listed here is what this client understands.
 */
export const feature = {
  MSG_AUTH: 1n << 23n,
  MSG_ADDR2: 1n << 59n,
  CEPHX_V2: 1n << 61n,
  SERVER_NAUTILUS: 1n << 2n,
  SERVER_OCTOPUS: 1n << 3n,
} as const;

/** Bit numbers in the order of the header; overlapping names share a bit. */
const supportedBits = [
  1, // NOSRCADDR
  2, // SERVER_NAUTILUS
  3, // SERVER_OCTOPUS
  4, // SUBSCRIBE2
  5, // MONNAMES
  6, // RECONNECT_SEQ
  7, // DIRLAYOUTHASH
  8, // OBJECTLOCATOR
  9, // PGID64
  10, // INCSUBOSDMAP
  11, // PGPOOL3
  12, // OSDREPLYMUX
  13, // OSDENC
  14, // SERVER_KRAKEN
  15, // MONENC
  18, // CRUSH_TUNABLES
  21, // SERVER_LUMINOUS, RESEND_ON_SPLIT, RADOS_BACKOFF, OSDMAP_PG_UPMAP, CRUSH_CHOOSE_ARGS
  23, // MSG_AUTH
  25, // CRUSH_TUNABLES2
  26, // CREATEPOOLID
  27, // REPLY_CREATE_INODE
  28, // SERVER_MIMIC
  29, // MDSENC
  30, // OSDHASHPSPOOL
  35, // OSD_CACHEPOOL
  36, // CRUSH_V2
  37, // EXPORT_PEER
  38, // OSD_ERASURE_CODES
  39, // OSDMAP_ENC
  41, // CRUSH_TUNABLES3, OSD_PRIMARY_AFFINITY
  42, // MSGR_KEEPALIVE2
  43, // OSD_POOLRESEND
  44, // ERASURE_CODE_PLUGINS_V2
  46, // OSD_FADVISE_FLAGS
  48, // CRUSH_V4
  50, // MON_METADATA
  51, // OSD_BITWISE_HOBJ_SORT
  53, // ERASURE_CODE_PLUGINS_V3
  54, // OSD_HITSET_GMT
  55, // HAMMER_0_94_4
  56, // NEW_OSDOP_ENCODING
  57, // SERVER_JEWEL, MON_STATEFUL_SUB, MON_ROUTE_OSDMAP
  58, // CRUSH_TUNABLES5, NEW_OSDOPREPLY_ENCODING
  59, // MSG_ADDR2
  60, // OSD_RECOVERY_DELETES
  61, // CEPHX_V2
];

export const supportedFeatures: bigint = supportedBits.reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n);

/** What a daemon must have for this client to talk to it: Luminous and newer. */
export const requiredFeatures: bigint = (1n << 21n) | (1n << 57n);
