import { hash, randomBytes } from "node:crypto";
import { EncryptionError } from "./encryption-error.ts";
import { fixedText, type LuksVolume, luksHashes, luksMagic, type ReadHeader } from "./luks-volume.ts";
import { decodeMetadata, encodeMetadata } from "./luks2-metadata.ts";

/**
 * The header of LUKS2 (LUKS2 On-Disk Format Specification): two copies, each of 4096 bytes, big-endian, followed by an
 * area of zero-terminated JSON text. The second copy begins at the size of the first, and its magic begins with SKUL.
 *
 *     0 magic 6, version u16     8 size of header and JSON u64    16 sequence number u64    24 label 48
 *     72 name of the hash 32     104 salt 64    168 uuid 40    208 subsystem 48    256 offset of this header u64
 *     448 checksum 64: of header and JSON, with zeros in its own place
 */
export async function readLuks2(read: ReadHeader): Promise<LuksVolume> {
  const copies = [await readCopy(read, 0)];
  const places = copies[0] === undefined ? sizes : [copies[0].size];
  for (const place of places) {
    const second = await readCopy(read, place);
    if (second !== undefined) copies.push(second);
    if (second !== undefined) break;
  }
  const newest = copies.reduce((best, copy) =>
    (copy?.sequence ?? -1n) > (best?.sequence ?? -1n) ? copy : best,
  );
  if (newest === undefined) {
    throw new EncryptionError(
      "SIPHON_ENCRYPTION_MALFORMED",
      "neither of the two LUKS2 headers matches its checksum",
      { hint: "restore the header from a backup (cryptsetup luksHeaderRestore)" },
    );
  }
  return decodeMetadata(newest.json, newest.uuid);
}

/** Both headers, as one piece from the start of the image. */
export function encodeLuks2(volume: LuksVolume): Buffer {
  const json = Buffer.from(
    encodeMetadata(volume, { jsonBytes: usualSize - binaryBytes, keyslotsOffset: 2 * usualSize }),
  );
  if (json.length >= usualSize - binaryBytes) throw new RangeError("metadata too large");
  return Buffer.concat([encodeCopy(volume, json, 0), encodeCopy(volume, json, usualSize)]);
}

const binaryBytes = 4096;
/** Size of header and JSON as cryptsetup makes it, and the largest that it allows. */
const usualSize = 0x4000;
const sizes = [0x4000, 0x8000, 0x10000, 0x20000, 0x40000, 0x80000, 0x100000, 0x200000, 0x400000];
const secondMagic = Buffer.from("SKUL\xba\xbe", "latin1");
const checksumAt = 448;

interface HeaderCopy {
  readonly size: number;
  readonly sequence: bigint;
  readonly uuid: string;
  readonly json: string;
}

/** The header at this offset; undefined unless its checksum is valid. */
async function readCopy(read: ReadHeader, place: number): Promise<HeaderCopy | undefined> {
  const start = await read(place, binaryBytes);
  if (start.length < binaryBytes || !hasMagic(start, place) || start.readUInt16BE(6) !== 2) return undefined;
  const size = Number(start.readBigUInt64BE(8));
  const hashName = fixedText(start, 72, 32);
  if (!sizes.includes(size) || Number(start.readBigUInt64BE(256)) !== place || !luksHashes.has(hashName)) {
    return undefined;
  }
  const bytes = Buffer.from(await read(place, size));
  if (bytes.length < size) return undefined;
  const digest = checksum(bytes, hashName);
  if (start.compare(digest, 0, digest.length, checksumAt, checksumAt + digest.length) !== 0) return undefined;
  const end = bytes.indexOf(0, binaryBytes);
  return {
    size,
    sequence: start.readBigUInt64BE(16),
    uuid: fixedText(start, 168, 40),
    json: bytes.toString("utf8", binaryBytes, end === -1 ? size : end),
  };
}

function encodeCopy(volume: LuksVolume, json: Buffer, place: number): Buffer {
  const bytes = Buffer.alloc(usualSize);
  (place === 0 ? luksMagic : secondMagic).copy(bytes);
  bytes.writeUInt16BE(2, 6);
  bytes.writeBigUInt64BE(BigInt(usualSize), 8);
  bytes.writeBigUInt64BE(1n, 16);
  bytes.write("sha256", 72);
  randomBytes(64).copy(bytes, 104);
  bytes.write(volume.uuid, 168);
  bytes.writeBigUInt64BE(BigInt(place), 256);
  json.copy(bytes, binaryBytes);
  checksum(bytes, "sha256").copy(bytes, checksumAt);
  return bytes;
}

/** Overwrites the checksum with zeros. */
function checksum(bytes: Buffer, hashName: string): Buffer {
  bytes.fill(0, checksumAt, checksumAt + 64);
  return hash(hashName, bytes, "buffer");
}

function hasMagic(bytes: Buffer, place: number): boolean {
  const magic = place === 0 ? luksMagic : secondMagic;
  return bytes.compare(magic, 0, magic.length, 0, magic.length) === 0;
}
