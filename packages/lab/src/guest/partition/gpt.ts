import { randomUUID } from "node:crypto";
import { crc32 } from "node:zlib";

/** Bytes of a sector. */
const SECTOR = 512;

/** A partition of a GPT; first and last sector both belong to it. */
export interface GptPartition {
  /** From 1, as Linux counts them. */
  number: number;
  name: string;
  first: number;
  last: number;
}

/**
 * A GUID partition table at the start of a disk. Source: UEFI specification, chapter 5. The header, in sector 1:
 *
 *     0  8   "EFI PART"
 *     8  u32 revision
 *     12 u32 bytes of the header
 *     16 u32 crc32 of the header, taken with zeros here
 *     24 u64 sector of this header
 *     32 u64 sector of the other header
 *     40 u64 first sector that partitions may use
 *     48 u64 last one
 *     56 16  GUID of the disk
 *     72 u64 sector of the entries
 *     80 u32 number of entries
 *     84 u32 bytes of an entry
 *     88 u32 crc32 of the entries
 *
 * An entry: type GUID, own GUID, first sector (u64), last sector (u64), flags (u64), name (UTF-16LE, 72 bytes).
 */
export class Gpt {
  readonly #header: Buffer;
  readonly #entries: Buffer;

  private constructor(header: Buffer, entries: Buffer) {
    this.#header = header;
    this.#entries = entries;
  }

  /**
   * Reads the table from the first sectors of a disk (34 hold the usual one); undefined if there is none, or a checksum
   * is wrong.
   */
  static read(start: Buffer): Gpt | undefined {
    const header = Buffer.from(start.subarray(SECTOR, 2 * SECTOR));
    if (header.toString("latin1", 0, 8) !== "EFI PART") return undefined;
    const at = Number(header.readBigUInt64LE(72)) * SECTOR;
    const entries = Buffer.from(start.subarray(at, at + header.readUInt32LE(80) * header.readUInt32LE(84)));
    const whole = header.readUInt32LE(16) === headerChecksum(header);
    return whole && header.readUInt32LE(88) === crc32(entries) ? new Gpt(header, entries) : undefined;
  }

  get partitions(): GptPartition[] {
    return this.#slots()
      .map((entry, index) => ({
        number: index + 1,
        name: entry.toString("utf16le", 56, 128).replace(/\0.*$/s, ""),
        first: Number(entry.readBigUInt64LE(32)),
        last: Number(entry.readBigUInt64LE(40)),
        used: entry.subarray(0, 16).some((byte) => byte !== 0),
      }))
      .filter(({ used }) => used)
      .map(({ used: _, ...partition }) => partition);
  }

  /** Adds a partition in the first free slot and returns its number; undefined if all slots are taken. */
  add(partition: Omit<GptPartition, "number">): number | undefined {
    const slots = this.#slots();
    const index = slots.findIndex((entry) => entry.subarray(0, 16).every((byte) => byte === 0));
    if (index < 0) return undefined;
    const entry = slots[index];
    entry.fill(0);
    guid(LINUX_DATA).copy(entry, 0);
    guid(randomUUID()).copy(entry, 16);
    entry.writeBigUInt64LE(BigInt(partition.first), 32);
    entry.writeBigUInt64LE(BigInt(partition.last), 40);
    entry.write(partition.name, 56, 72, "utf16le");
    return index + 1;
  }

  /** The last sector for partitions on a disk of this many sectors; the backup follows. */
  lastUsable(diskSectors: number): number {
    return diskSectors - 2 - this.#entrySectors();
  }

  /** The encoded table for a disk of this many sectors: the bytes, and the sector to write them to. */
  write(diskSectors: number): { sector: number; data: Buffer }[] {
    const primaryEntries = Number(this.#header.readBigUInt64LE(72));
    const backupEntries = this.lastUsable(diskSectors) + 1;
    const last = diskSectors - 1;
    return [
      { sector: backupEntries, data: this.#entries },
      { sector: last, data: this.#headerAt(last, 1, backupEntries, diskSectors) },
      { sector: primaryEntries, data: this.#entries },
      { sector: 1, data: this.#headerAt(1, last, primaryEntries, diskSectors) },
    ];
  }

  #headerAt(own: number, other: number, entries: number, diskSectors: number): Buffer {
    const header = Buffer.from(this.#header);
    header.writeBigUInt64LE(BigInt(own), 24);
    header.writeBigUInt64LE(BigInt(other), 32);
    header.writeBigUInt64LE(BigInt(this.lastUsable(diskSectors)), 48);
    header.writeBigUInt64LE(BigInt(entries), 72);
    header.writeUInt32LE(crc32(this.#entries), 88);
    header.writeUInt32LE(headerChecksum(header), 16);
    return header;
  }

  #slots(): Buffer[] {
    const size = this.#header.readUInt32LE(84);
    return Array.from({ length: this.#entries.length / size }, (_, index) =>
      this.#entries.subarray(index * size, (index + 1) * size),
    );
  }

  #entrySectors(): number {
    return Math.ceil(this.#entries.length / SECTOR);
  }
}

function headerChecksum(header: Buffer): number {
  const copy = Buffer.from(header.subarray(0, Math.min(header.readUInt32LE(12), SECTOR)));
  copy.writeUInt32LE(0, 16);
  return crc32(copy);
}

/** The type of a partition that holds data of Linux. */
const LINUX_DATA = "0fc63daf-8483-4772-8e79-3d69d8477de4";

/** A GUID's first three groups are little-endian numbers, the others bytes. */
function guid(text: string): Buffer {
  const bytes = Buffer.from(text.replaceAll("-", ""), "hex");
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}
