import { attribute, decodeAttributes, valueIn } from "./netlink.ts";

/*
 * Payload of a message of generic netlink (include/uapi/linux/genetlink.h): u8 command, u8 version, u16 zero; then attributes. The driver's
 * commands and attributes are in include/uapi/linux/nbd-netlink.h.
 */
const head = 4;

/** The family that knows the numbers of the others. */
export const controlFamily = 0x10;
const getFamily = 3;
const familyAttribute = { id: 1, name: 2 } as const;

const command = { connect: 1, disconnect: 2, reconfigure: 3, status: 5 } as const;

const nbdAttribute = {
  index: 1,
  size: 2,
  blockSize: 3,
  timeout: 4,
  serverFlags: 5,
  sockets: 7,
  deadConnectionTimeout: 8,
  deviceList: 9,
  cookie: 10,
} as const;
const socketItem = 1;
const socketFd = 1;
const deviceItem = 1;
const deviceAttribute = { index: 1, connected: 2 } as const;

/** Settings of a device. The driver chooses those that are missing, or leaves them as they were. */
export interface DeviceSettings {
  /** N of /dev/nbdN. */
  readonly index?: number | undefined;
  /** Bytes. */
  readonly size?: number;
  readonly blockSize?: number;
  /** Transmission flags of the protocol. */
  readonly serverFlags?: number;
  /** Seconds that a request may take. */
  readonly timeout?: number | undefined;
  /** Seconds that requests wait for a new connection, once there is none. */
  readonly deadConnectionTimeout?: number;
  /** Later changes of the device must name it. */
  readonly cookie?: string | undefined;
  /** The driver's end of a connection that has begun its transmission. */
  readonly socket?: number;
}

/** Asks for the number of the family "nbd". */
export function familyRequest(): Buffer {
  return Buffer.concat([genericHead(getFamily, 1), attribute.text(familyAttribute.name, "nbd")]);
}

/** @throws AttachError SIPHON_ATTACH_PROTOCOL for an invalid reply; the other decoders of replies throw it, too */
export function familyOf(reply: Buffer): number {
  return valueIn(decodeAttributes(reply.subarray(head)), familyAttribute.id, 2).readUInt16LE();
}

export function connectRequest(settings: DeviceSettings): Buffer {
  return request(command.connect, settings);
}

export function reconfigureRequest(settings: DeviceSettings & { index: number }): Buffer {
  return request(command.reconfigure, settings);
}

export function disconnectRequest(index: number): Buffer {
  return request(command.disconnect, { index });
}

export function statusRequest(index: number): Buffer {
  return request(command.status, { index });
}

/** The device that was connected. */
export function connectedDevice(reply: Buffer): number {
  return valueIn(decodeAttributes(reply.subarray(head)), nbdAttribute.index, 4).readUInt32LE();
}

/** Whether the device is connected; undefined if there is no such device. */
export function statusOf(reply: Buffer, index: number): boolean | undefined {
  const list = decodeAttributes(reply.subarray(head)).find(({ type }) => type === nbdAttribute.deviceList);
  for (const { type, value } of decodeAttributes(list?.value ?? Buffer.alloc(0))) {
    if (type !== deviceItem) continue;
    const device = decodeAttributes(value);
    if (valueIn(device, deviceAttribute.index, 4).readUInt32LE() !== index) continue;
    return valueIn(device, deviceAttribute.connected, 1)[0] !== 0;
  }
  return undefined;
}

function request(code: number, settings: DeviceSettings): Buffer {
  const { index, size, blockSize, timeout, serverFlags, deadConnectionTimeout, cookie, socket } = settings;
  const { u32, u64, text, nested } = attribute;
  return Buffer.concat([
    genericHead(code, 1),
    ...given(index, (value) => u32(nbdAttribute.index, value)),
    ...given(size, (value) => u64(nbdAttribute.size, value)),
    ...given(blockSize, (value) => u64(nbdAttribute.blockSize, value)),
    ...given(timeout, (value) => u64(nbdAttribute.timeout, value)),
    ...given(serverFlags, (value) => u64(nbdAttribute.serverFlags, value)),
    ...given(deadConnectionTimeout, (value) => u64(nbdAttribute.deadConnectionTimeout, value)),
    ...given(cookie, (value) => text(nbdAttribute.cookie, value)),
    ...given(socket, (value) => nested(nbdAttribute.sockets, nested(socketItem, u32(socketFd, value)))),
  ]);
}

function given<T>(value: T | undefined, encode: (value: T) => Buffer): Buffer[] {
  return value === undefined ? [] : [encode(value)];
}

function genericHead(code: number, version: number): Buffer {
  return Buffer.from([code, version, 0, 0]);
}
