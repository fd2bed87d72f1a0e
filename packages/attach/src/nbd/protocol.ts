import { errno } from "@siphon/wire";
/**
 * Numbers of the NBD protocol (NetworkBlockDevice/nbd doc/proto.md; extended headers: the same file on branch
 * extension-ext-header). Everything on the wire is big-endian.
 */

/** `NBDMAGIC` and `IHAVEOPT`, as two u32 each. */
export const serverMagic = [0x4e42444d, 0x41474943] as const;
export const optionMagic = [0x49484156, 0x454f5054] as const;
/** Magic of an option reply: 0x3e889045565a9. */
export const optionReplyMagic = [0x0003e889, 0x045565a9] as const;

export const handshakeFlag = { fixedNewstyle: 1, noZeroes: 2 } as const;

export const option = {
  exportName: 1,
  abort: 2,
  list: 3,
  startTls: 5,
  info: 6,
  go: 7,
  structuredReply: 8,
  listMetaContext: 9,
  setMetaContext: 10,
  extendedHeaders: 11,
} as const;

export const optionReply = {
  ack: 1,
  server: 2,
  info: 3,
  metaContext: 4,
  unsupported: 0x8000_0001,
  policy: 0x8000_0002,
  invalid: 0x8000_0003,
  tlsRequired: 0x8000_0005,
  unknown: 0x8000_0006,
  tooBig: 0x8000_0009,
  extendedHeadersRequired: 0x8000_000a,
} as const;

export const info = { export: 0, name: 1, description: 2, blockSize: 3 } as const;

export const transmissionFlag = {
  hasFlags: 1,
  readOnly: 2,
  sendFlush: 4,
  sendFua: 8,
  sendTrim: 32,
  sendWriteZeroes: 64,
  sendDf: 128,
  canMultiConn: 256,
  sendCache: 1024,
  sendFastZero: 2048,
  blockStatusPayload: 4096,
} as const;

export const command = {
  read: 0,
  write: 1,
  disconnect: 2,
  flush: 3,
  trim: 4,
  cache: 5,
  writeZeroes: 6,
  blockStatus: 7,
} as const;

export const commandFlag = { fua: 1, noHole: 2, df: 4, reqOne: 8, fastZero: 16, payloadLength: 32 } as const;

/** Compact request, 28 bytes: u32 magic, u16 flags, u16 command, u64 cookie, u64 offset, u32 length. */
export const requestMagic = 0x25609513;
export const requestBytes = 28;
/** Extended request, 32 bytes: the same with a u64 length. */
export const extendedRequestMagic = 0x21e41c71;
export const extendedRequestBytes = 32;

/** Simple reply, 16 bytes: u32 magic, u32 error, u64 cookie; then the data of a read. */
export const simpleReplyMagic = 0x67446698;
export const simpleReplyBytes = 16;
/** Structured reply chunk, 20 bytes: u32 magic, u16 flags, u16 type, u64 cookie, u32 length; then the payload. */
export const structuredReplyMagic = 0x668e33ef;
export const structuredReplyBytes = 20;
/** Extended reply chunk, 32 bytes: u32 magic, u16 flags, u16 type, u64 cookie, u64 offset of the request, u64 length. */
export const extendedReplyMagic = 0x6e8a278c;
export const extendedReplyBytes = 32;

export const replyFlagDone = 1;
export const replyType = {
  none: 0,
  offsetData: 1,
  offsetHole: 2,
  blockStatus: 5,
  blockStatusExtended: 6,
  error: 0x8001,
} as const;

/** Flags of `base:allocation`. */
export const allocationState = { hole: 1, zero: 2 } as const;
/** Flags of `siphon:diff/SNAP`: changed since the snapshot; reads as zeros now. */
export const diffState = { changed: 1, zero: 2 } as const;

/** The errors that the protocol knows; their numbers are Linux's. */
export const nbdError = {
  EPERM: errno.EPERM,
  EIO: errno.EIO,
  ENOMEM: errno.ENOMEM,
  EINVAL: errno.EINVAL,
  ENOSPC: errno.ENOSPC,
  EOVERFLOW: errno.EOVERFLOW,
  ENOTSUP: errno.EOPNOTSUPP,
  ESHUTDOWN: errno.ESHUTDOWN,
} as const;

const knownErrors = new Set<number>(Object.values(nbdError));

/** The error of the protocol for a negative errno: clients know only a few. */
export function nbdErrorOf(result: number): number {
  if (result === -errno.EROFS) return nbdError.EPERM;
  if (result === -errno.EDQUOT) return nbdError.ENOSPC;
  return knownErrors.has(-result) ? -result : nbdError.EIO;
}

/** The longest payload of a request or reply; clients see it as the maximum block size. */
export const maxPayload = 32 << 20;
/** Longest name or description, in bytes. */
export const maxString = 4096;

export function writeU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / 0x1_0000_0000));
  view.setUint32(at + 4, value >>> 0);
}

/** Numbers above 2^53 are inexact; every use of them rejects such values as out of range. */
export function readU64(view: DataView, at: number): number {
  return view.getUint32(at) * 0x1_0000_0000 + view.getUint32(at + 4);
}
