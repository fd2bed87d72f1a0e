import { AttachError } from "../errors.ts";

/*
 * Netlink, in the byte order of every machine that siphon runs on: little-endian. All parts begin at multiples of four bytes.
 *
 * Message (include/uapi/linux/netlink.h): u32 length with this header, u16 type, u16 flags, u32 sequence, u32 port; then the payload.
 * Attribute: u16 length with this header, u16 type with two flags in its highest bits; then the value, which may be attributes again.
 * Answer to any request (type 2): i32 negative errno or 0, the header of the request.
 */
const messageHeader = 16;
const attributeHeader = 4;
const typeMask = 0x3fff;
const nestedFlag = 0x8000;

export const netlinkFlag = { request: 1, acknowledge: 4 } as const;
export const answerType = 2;

export interface NetlinkMessage {
  readonly type: number;
  readonly sequence: number;
  readonly payload: Buffer;
}

/** An attribute of a message; its type gives the meaning of its value. */
export interface Attribute {
  readonly type: number;
  readonly value: Buffer;
}

export function encodeMessage({ type, sequence, payload }: NetlinkMessage): Buffer {
  const bytes = Buffer.alloc(messageHeader + payload.length);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt16LE(type, 4);
  bytes.writeUInt16LE(netlinkFlag.request | netlinkFlag.acknowledge, 6);
  bytes.writeUInt32LE(sequence, 8);
  payload.copy(bytes, messageHeader);
  return bytes;
}

/** @throws AttachError SIPHON_ATTACH_PROTOCOL for bytes that are not complete messages */
export function decodeMessages(bytes: Buffer): NetlinkMessage[] {
  return partsOf(bytes, messageHeader, (at) => bytes.readUInt32LE(at)).map((part) => ({
    type: part.readUInt16LE(4),
    sequence: part.readUInt32LE(8),
    payload: part.subarray(messageHeader),
  }));
}

/** The negative errno of an answer; 0 for success. Throws as `decodeMessages`. */
export function errnoOfAnswer({ payload }: NetlinkMessage): number {
  if (payload.length < 4 + messageHeader) throw malformed();
  return payload.readInt32LE(0);
}

export const attribute = {
  u32(type: number, value: number): Buffer {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return encodeAttribute(type, bytes);
  },
  u64(type: number, value: number): Buffer {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    return encodeAttribute(type, bytes);
  },
  text(type: number, value: string): Buffer {
    return encodeAttribute(type, Buffer.from(`${value}\0`));
  },
  nested(type: number, ...parts: Buffer[]): Buffer {
    return encodeAttribute(type | nestedFlag, Buffer.concat(parts));
  },
};

/** In their order: lists have many of one type. Throws as `decodeMessages`. */
export function decodeAttributes(bytes: Buffer): Attribute[] {
  return partsOf(bytes, attributeHeader, (at) => bytes.readUInt16LE(at)).map((part) => ({
    type: part.readUInt16LE(2) & typeMask,
    value: part.subarray(attributeHeader),
  }));
}

/** The value of the first attribute of a type, which has at least `length` bytes. Throws as `decodeMessages`. */
export function valueIn(attributes: readonly Attribute[], type: number, length: number): Buffer {
  const found = attributes.find((each) => each.type === type);
  if (found === undefined || found.value.length < length) throw malformed();
  return found.value;
}

function encodeAttribute(type: number, value: Buffer): Buffer {
  const length = attributeHeader + value.length;
  const bytes = Buffer.alloc(aligned(length));
  bytes.writeUInt16LE(length, 0);
  bytes.writeUInt16LE(type, 2);
  value.copy(bytes, attributeHeader);
  return bytes;
}

/** Parts that begin with their own lengths; the padding of the last one may be missing. */
function partsOf(bytes: Buffer, header: number, lengthAt: (at: number) => number): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < header) throw malformed();
    const length = lengthAt(at);
    if (length < header || length > bytes.length - at) throw malformed();
    parts.push(bytes.subarray(at, at + length));
    at += aligned(length);
  }
  return parts;
}

function aligned(length: number): number {
  return Math.ceil(length / 4) * 4;
}

function malformed(): AttachError {
  return new AttachError("SIPHON_ATTACH_PROTOCOL", "invalid netlink answer from the kernel");
}
