/** Bytes of a sector as partition tables count them. */
export const mbrSector = 512;

/** A primary partition; start and length in sectors of 512 bytes. */
export interface MbrPartition {
  /** 0x83 Linux, 0xee the whole disk of a GPT, 0x05 and 0x0f extended. */
  type: number;
  active: boolean;
  start: number;
  sectors: number;
}

/** A master boot record. */
export interface Mbr {
  /** The first 446 bytes: boot code, and the disk's signature. */
  bootCode: Buffer;
  /** Always four; null for an empty entry. */
  partitions: (MbrPartition | null)[];
}

const TABLE = 446;
const ENTRY = 16;
const SIGNATURE = 0xaa55;

export function emptyMbr(bootCode: Buffer = Buffer.alloc(0)): Mbr {
  const code = Buffer.alloc(TABLE);
  bootCode.copy(code);
  return { bootCode: code, partitions: [null, null, null, null] };
}

/**
 * Reads a boot sector; undefined if it is not one. An entry:
 *
 *     0  u8  0x80 active, else 0
 *     1  3   cylinder, head, sector of the start
 *     4  u8  type
 *     5  3   cylinder, head, sector of the end
 *     8  u32 start
 *     12 u32 sectors
 */
export function readMbr(sector: Buffer): Mbr | undefined {
  if (sector.length < mbrSector || sector.readUInt16LE(510) !== SIGNATURE) return undefined;
  const mbr = emptyMbr(sector.subarray(0, TABLE));
  for (let slot = 0; slot < 4; slot++) {
    const at = TABLE + slot * ENTRY;
    const type = sector[at + 4];
    if (type === 0) continue;
    mbr.partitions[slot] = {
      type,
      active: sector[at] === 0x80,
      start: sector.readUInt32LE(at + 8),
      sectors: sector.readUInt32LE(at + 12),
    };
  }
  return mbr;
}

/** The boot sector's 512 bytes. Cylinders, heads and sectors have the values for addresses beyond their range. */
export function writeMbr(mbr: Mbr): Buffer {
  const sector = Buffer.alloc(mbrSector);
  mbr.bootCode.copy(sector, 0, 0, TABLE);
  mbr.partitions.forEach((partition, slot) => {
    if (!partition) return;
    const at = TABLE + slot * ENTRY;
    sector[at] = partition.active ? 0x80 : 0;
    sector.set([0xfe, 0xff, 0xff, partition.type, 0xfe, 0xff, 0xff], at + 1);
    sector.writeUInt32LE(partition.start, at + 8);
    sector.writeUInt32LE(partition.sectors, at + 12);
  });
  sector.writeUInt16LE(SIGNATURE, 510);
  return sector;
}
