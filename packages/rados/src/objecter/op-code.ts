const read = 0x1000;
const write = 0x2000;
const data = 0x0200;
const attr = 0x0300;
const exec = 0x0400;
const pg = 0x0500;

/** Operations of an OSD on an object (CEPH_OSD_OP_* in src/include/rados.h). */
export const opCode = {
  read: read | data | 1,
  stat: read | data | 2,
  mapExtents: read | data | 3,
  sparseRead: read | data | 5,
  notify: read | data | 6,
  notifyAck: read | data | 7,
  assertVersion: read | data | 8,
  listWatchers: read | data | 9,
  listSnaps: read | data | 10,
  checksum: read | data | 31,
  compareExtent: read | data | 32,
  write: write | data | 1,
  writeFull: write | data | 2,
  truncate: write | data | 3,
  zero: write | data | 4,
  delete: write | data | 5,
  append: write | data | 6,
  create: write | data | 13,
  rollback: write | data | 14,
  watch: write | data | 15,
  setAllocHint: write | data | 35,
  writeSame: write | data | 38,
  copyFrom: write | data | 26,
  tmapUpdate: read | write | data | 10,
  omapGetKeys: read | data | 17,
  omapGetValues: read | data | 18,
  omapGetHeader: read | data | 19,
  omapGetValuesByKeys: read | data | 20,
  omapSetValues: write | data | 21,
  omapSetHeader: write | data | 22,
  omapClear: write | data | 23,
  omapRemoveKeys: write | data | 24,
  omapCompare: read | data | 25,
  omapRemoveKeyRange: write | data | 44,
  getXattr: read | attr | 1,
  getXattrs: read | attr | 2,
  compareXattr: read | attr | 3,
  setXattr: write | attr | 1,
  removeXattr: write | attr | 4,
  /** A method of an object class, which may read, write, or both. */
  call: read | exec | 1,
  listObjects: read | pg | 5,
  listObjectsFiltered: read | pg | 6,
} as const;

/** Flags of one operation (CEPH_OSD_OP_FLAG_*). */
export const opFlag = {
  exclusive: 0x01,
  /** The following operations are executed even if this one fails. */
  failOk: 0x02,
  adviseRandom: 0x04,
  adviseSequential: 0x08,
  adviseWillNeed: 0x10,
  adviseDontNeed: 0x20,
  adviseNoCache: 0x40,
} as const;

/** Flags of a request (CEPH_OSD_FLAG_*). */
export const requestFlag = {
  ack: 0x01,
  onDisk: 0x04,
  retry: 0x08,
  read: 0x10,
  write: 0x20,
  orderSnap: 0x40,
  balanceReads: 0x100,
  /** About a PG, not an object. */
  pgOperation: 0x400,
  localizeReads: 0x2000,
  /** Ordered with later reads and writes of the object. */
  readWriteOrdered: 0x4000,
  ignoreOverlay: 0x2_0000,
  redirected: 0x20_0000,
  knownRedirect: 0x40_0000,
  /** Fails with ENOSPC instead of waiting for space in a full pool. */
  fullTry: 0x80_0000,
  fullForce: 0x100_0000,
  /** A write returns the results and outputs of its operations, up to 64 bytes each. */
  returnVector: 0x400_0000,
  /** The client supports pools that answer everything with EIO. */
  knowsPoolEio: 0x800_0000,
} as const;
