/**
 * Numbers of the vhost-user protocol; source: QEMU's docs/interop/vhost-user.rst.
 */
export const requestCode = {
  getFeatures: 1,
  setFeatures: 2,
  setOwner: 3,
  resetOwner: 4,
  setMemTable: 5,
  setLogBase: 6,
  setLogFd: 7,
  setVringNum: 8,
  setVringAddr: 9,
  setVringBase: 10,
  getVringBase: 11,
  setVringKick: 12,
  setVringCall: 13,
  setVringErr: 14,
  getProtocolFeatures: 15,
  setProtocolFeatures: 16,
  getQueueNum: 17,
  setVringEnable: 18,
  setBackendReqFd: 21,
  getConfig: 24,
  setConfig: 25,
  getInflightFd: 31,
  setInflightFd: 32,
  resetDevice: 34,
  getMaxMemSlots: 36,
  addMemReg: 37,
  remMemReg: 38,
} as const;

export type RequestName = keyof typeof requestCode;

const names = new Map(
  Object.entries(requestCode).map(([name, code]) => [code as number, name as RequestName]),
);

/** Undefined for a request that this back-end does not know. */
export function requestName(code: number): RequestName | undefined {
  return names.get(code);
}

/** Requests of the back-end to the front-end, on a socket of its own. */
export const backendRequestCode = { configChange: 2 } as const;

/** Bits of the protocol's own features. */
export const protocolFeature = {
  mq: 1n << 0n,
  logShmfd: 1n << 1n,
  replyAck: 1n << 3n,
  backendReq: 1n << 5n,
  config: 1n << 9n,
  inflightShmfd: 1n << 12n,
  resetDevice: 1n << 13n,
  configureMemSlots: 1n << 15n,
} as const;

/** Bits of virtio's features that concern every device; source: virtio 1.2, chapter 6. */
export const ringFeature = {
  logAll: 1n << 26n,
  indirectDesc: 1n << 28n,
  eventIdx: 1n << 29n,
  /** vhost-user's own: that it has protocol features. */
  protocolFeatures: 1n << 30n,
  version1: 1n << 32n,
} as const;
