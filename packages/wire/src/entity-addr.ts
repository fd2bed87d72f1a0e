import { formatIPv6, parseIPv4, parseIPv6 } from "./ip-address.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** CEPH_FEATURE_MSG_ADDR2: the peer reads the versioned form of addresses and address lists. */
export const FEATURE_MSG_ADDR2 = 1n << 59n;

/** The protocol spoken at an address, in the order of its number on the wire. */
export const entityAddrTypes = ["none", "legacy", "msgr2", "any", "cidr"] as const;
export type EntityAddrType = (typeof entityAddrTypes)[number];

/** The address of a daemon or client: Ceph's entity_addr_t (src/msg/msg_types.h). */
export interface EntityAddr {
  type: EntityAddrType;
  /** Distinguishes runs of a daemon at one address. */
  nonce: number;
  /** IP version; 0 for an address not known. */
  family: 0 | 4 | 6;
  /** IP address in its canonical text; empty for family 0. */
  address: string;
  /** Port number; for type `cidr` the length of the network prefix, in bits. */
  port: number;
}

export const blankAddr: EntityAddr = { type: "none", nonce: 0, family: 0, address: "", port: 0 };

/**
 * Either form of an address, told apart by the first byte:
 *
 *     new     u8 1, versioned(1) { u32 type, u32 nonce, u32 length, sockaddr with a little-endian family }
 *     legacy  u32 0, u32 nonce, sockaddr_storage (128 bytes) with a big-endian family
 *
 * @throws WireError for an invalid address
 */
export function readEntityAddr(r: Reader): EntityAddr {
  const marker = r.u8();
  if (marker === 0) return readLegacyAddr(r);
  if (marker === 1) return readVersionedAddr(r);
  throw r.malformed(`an address that begins with ${marker}`);
}

/**
 * A list of addresses: u8 2, list of addresses; or one address in either form.
 *
 * @throws WireError for an invalid list
 */
export function readEntityAddrVec(r: Reader): EntityAddr[] {
  const marker = r.u8();
  if (marker === 0) return [readLegacyAddr(r)];
  if (marker === 1) return [readVersionedAddr(r)];
  if (marker === 2) return r.list(leastAddrBytes, readEntityAddr);
  throw r.malformed(`an address list that begins with ${marker}`);
}

/**
 * Skips a list that `readEntityAddrVec` reads.
 *
 * @throws WireError for an invalid list
 */
export function skipEntityAddrVec(r: Reader): void {
  const marker = r.u8();
  if (marker > 2) throw r.malformed(`an address list that begins with ${marker}`);
  if (marker < 2) {
    skipAddr(r, marker);
    return;
  }
  for (let left = r.count(leastAddrBytes); left > 0; left--) skipAddr(r, r.u8());
}

/** @param features of the peer; without ADDR2 the legacy form is written */
export function writeEntityAddr(w: Writer, addr: EntityAddr, features = FEATURE_MSG_ADDR2): void {
  if ((features & FEATURE_MSG_ADDR2) === 0n) {
    w.u32(0).u32(addr.nonce);
    const familyAt = w.length;
    writeSockaddr(w, addr, true);
    w.zeros(familyAt + sockaddrStorageBytes - w.length);
    return;
  }
  w.u8(1).versioned(1, 1, () => {
    w.u32(entityAddrTypes.indexOf(addr.type)).u32(addr.nonce);
    if (addr.family === 0) {
      w.u32(0);
      return;
    }
    w.u32(addr.family === 4 ? 16 : 28);
    writeSockaddr(w, addr, false);
  });
}

/** Without ADDR2 only the one legacy address of the list (or a blank one) can be written. */
export function writeEntityAddrVec(
  w: Writer,
  addrs: readonly EntityAddr[],
  features = FEATURE_MSG_ADDR2,
): void {
  if ((features & FEATURE_MSG_ADDR2) === 0n) {
    writeEntityAddr(w, addrs.find((addr) => addr.type === "legacy") ?? blankAddr, features);
    return;
  }
  w.u8(2).list(addrs, (_, addr) => writeEntityAddr(w, addr, features));
}

const leastAddrBytes = 1 + 6 + 12;
const sockaddrStorageBytes = 128;
const AF_INET = 2;
const AF_INET6 = 10;

function readLegacyAddr(r: Reader): EntityAddr {
  r.skip(3);
  const nonce = r.u32();
  const sockaddr = r.raw(sockaddrStorageBytes);
  const addr = parseSockaddr(r, sockaddr.readUInt16BE(0), sockaddr);
  return { type: addr.family === 0 ? "none" : "legacy", nonce, ...addr };
}

function skipAddr(r: Reader, marker: number): void {
  if (marker === 0) r.skip(3 + 4 + sockaddrStorageBytes);
  else if (marker === 1) r.skipStruct();
  else throw r.malformed(`an address that begins with ${marker}`);
}

function readVersionedAddr(r: Reader): EntityAddr {
  return r.versioned("entity_addr_t", 1, () => {
    const typeNumber = r.u32();
    const type = entityAddrTypes[typeNumber];
    if (type === undefined) throw r.malformed(`an address of type ${typeNumber}`);
    const nonce = r.u32();
    const sockaddr = r.blob();
    if (sockaddr.length === 1) throw r.malformed("a socket address of 1 byte");
    const family = sockaddr.length === 0 ? 0 : sockaddr.readUInt16LE(0);
    return { type, nonce, ...parseSockaddr(r, family, sockaddr) };
  });
}

function parseSockaddr(
  r: Reader,
  family: number,
  sockaddr: Buffer,
): Pick<EntityAddr, "family" | "address" | "port"> {
  if (family === 0) return { family: 0, address: "", port: 0 };
  if (family === AF_INET && sockaddr.length >= 8) {
    return { family: 4, address: sockaddr.subarray(4, 8).join("."), port: sockaddr.readUInt16BE(2) };
  }
  if (family === AF_INET6 && sockaddr.length >= 24) {
    return {
      family: 6,
      address: formatIPv6(sockaddr.subarray(8, 24)),
      port: sockaddr.readUInt16BE(2),
    };
  }
  throw r.malformed(`a socket address of family ${family} in ${sockaddr.length} bytes`);
}

/** struct sockaddr_in or sockaddr_in6; family in the byte order of the form it is written in. */
function writeSockaddr(w: Writer, addr: EntityAddr, bigEndianFamily: boolean): void {
  const family = addr.family === 0 ? 0 : addr.family === 4 ? AF_INET : AF_INET6;
  w.u16(bigEndianFamily ? family << 8 : family);
  w.u8(addr.port >> 8).u8(addr.port);
  if (addr.family === 4) w.raw(parseIPv4(addr.address)).zeros(8);
  else if (addr.family === 6) w.u32(0).raw(parseIPv6(addr.address)).u32(0);
}
