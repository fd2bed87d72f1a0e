import { AttachError } from "../../errors.ts";

/** Payloads of vhost-user messages, strictly read; numbers are little-endian, as is every machine this runs on. */

/** A part of the guest's memory, as the front-end describes it. All in bytes, below 2^53. */
export interface RegionDescription {
  guestAddress: number;
  size: number;
  /** In the front-end's own address space; the addresses of rings are given in it. */
  userAddress: number;
  mmapOffset: number;
}

export interface VringState {
  index: number;
  num: number;
}

export interface VringAddresses {
  index: number;
  descriptors: number;
  used: number;
  available: number;
  /** Guest address of the log of changed used entries; undefined: not logged. */
  log: number | undefined;
}

/** The front-end's memory for marks of changed pages, in bytes. */
export interface LogDescription {
  size: number;
  /** Offset in the file. */
  offset: number;
}

export interface InflightDescription {
  mmapSize: number;
  mmapOffset: number;
  queues: number;
  queueSize: number;
}

export interface ConfigAccess {
  offset: number;
  size: number;
  flags: number;
  bytes: Buffer;
}

export function readU64(payload: Buffer): bigint {
  return sized(payload, 8).readBigUInt64LE(0);
}

export function u64(value: bigint | number): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeBigUInt64LE(BigInt(value));
  return payload;
}

/** u32 index, u32 num */
export function readVringState(payload: Buffer): VringState {
  sized(payload, 8);
  return { index: payload.readUInt32LE(0), num: payload.readUInt32LE(4) };
}

export function vringState({ index, num }: VringState): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32LE(index, 0);
  payload.writeUInt32LE(num, 4);
  return payload;
}

/** u32 index, u32 flags, u64 descriptors, u64 used, u64 available, u64 log */
export function readVringAddresses(payload: Buffer): VringAddresses {
  sized(payload, 40);
  return {
    index: payload.readUInt32LE(0),
    descriptors: exact(payload, 8),
    used: exact(payload, 16),
    available: exact(payload, 24),
    log: (payload.readUInt32LE(4) & logUsed) === 0 ? undefined : exact(payload, 32),
  };
}

/** Flag of a ring's addresses: changes of its used entries are logged. */
const logUsed = 1;

/** u64 size, u64 offset */
export function readLog(payload: Buffer): LogDescription {
  sized(payload, 16);
  return { size: exact(payload, 0), offset: exact(payload, 8) };
}

/** u64: bits 0-7 the ring, bit 8 that no descriptor comes with it */
export function readVringFd(payload: Buffer): { index: number; hasFd: boolean } {
  const value = readU64(payload);
  if (value >> 9n !== 0n) throw malformed("a ring's descriptor has unknown flags");
  return { index: Number(value & 0xffn), hasFd: (value & 0x100n) === 0n };
}

/** u32 count, u32 padding, then the regions */
export function readMemoryTable(payload: Buffer): RegionDescription[] {
  if (payload.length < 8) throw malformed(`a memory table of ${payload.length} bytes`);
  const count = payload.readUInt32LE(0);
  if (count > 8) throw malformed(`a memory table with ${count} regions`);
  sized(payload, 8 + count * regionBytes);
  return Array.from({ length: count }, (_, index) => readRegion(payload, 8 + index * regionBytes));
}

/** u64 padding, then the region */
export function readSingleRegion(payload: Buffer): RegionDescription {
  return readRegion(sized(payload, 8 + regionBytes), 8);
}

/** u64 guest address, u64 size, u64 user address, u64 offset of its beginning in the mapped file */
const regionBytes = 32;

function readRegion(payload: Buffer, at: number): RegionDescription {
  const region = {
    guestAddress: exact(payload, at),
    size: exact(payload, at + 8),
    userAddress: exact(payload, at + 16),
    mmapOffset: exact(payload, at + 24),
  };
  const ends = [region.guestAddress, region.userAddress, region.mmapOffset].map((from) => from + region.size);
  if (region.size === 0 || !ends.every(Number.isSafeInteger)) throw malformed("an invalid memory region");
  return region;
}

/** u64 size, u64 offset, u16 queues, u16 queue size; compilers pad it to 24 bytes, and QEMU packs it */
export function readInflight(payload: Buffer): InflightDescription {
  if (payload.length !== 20 && payload.length !== 24)
    throw malformed(`an inflight description of ${payload.length} bytes`);
  return {
    mmapSize: exact(payload, 0),
    mmapOffset: exact(payload, 8),
    queues: payload.readUInt16LE(16),
    queueSize: payload.readUInt16LE(18),
  };
}

/** With the length of the request, because front-ends compare it. */
export function inflight(description: InflightDescription, length: number): Buffer {
  const payload = Buffer.alloc(length);
  payload.writeBigUInt64LE(BigInt(description.mmapSize), 0);
  payload.writeBigUInt64LE(BigInt(description.mmapOffset), 8);
  payload.writeUInt16LE(description.queues, 16);
  payload.writeUInt16LE(description.queueSize, 18);
  return payload;
}

/** u32 offset, u32 size, u32 flags, then `size` bytes */
export function readConfigAccess(payload: Buffer): ConfigAccess {
  if (payload.length < 12) throw malformed("an invalid access to the configuration space");
  const size = payload.readUInt32LE(4);
  if (size > 256 || payload.length !== 12 + size)
    throw malformed("an invalid access to the configuration space");
  return {
    offset: payload.readUInt32LE(0),
    size,
    flags: payload.readUInt32LE(8),
    bytes: payload.subarray(12),
  };
}

/** An error for a violation of the protocol. */
export function malformed(what: string): AttachError {
  return new AttachError("SIPHON_ATTACH_PROTOCOL", `the front-end sent ${what}`);
}

function sized(payload: Buffer, length: number): Buffer {
  if (payload.length !== length) throw malformed(`a payload of ${payload.length} bytes instead of ${length}`);
  return payload;
}

function exact(payload: Buffer, at: number): number {
  const value = payload.readBigUInt64LE(at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(`the number ${value}, which is too large`);
  return Number(value);
}
