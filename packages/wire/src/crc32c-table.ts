/**
 * CRC-32C (Castagnoli, reflected polynomial 0x82f63b78) by tables, eight bytes a step ("slicing by
 * eight"). Like Ceph's ceph_crc32c it works on the raw remainder: it neither inverts the seed nor the
 * result.
 */

const polynomial = 0x82f63b78;

/** Eight tables of 256: entry `256 * k + b` is the remainder of byte b followed by k zero bytes. */
export const crcTables: Int32Array = makeTables();

export function crc32cByTable(seed: number, bytes: Uint8Array, start: number, end: number): number {
  const t = crcTables;
  let crc = seed | 0;
  let at = start;
  for (; end - at >= 8; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      t[1792 + (crc & 0xff)]! ^
      t[1536 + ((crc >>> 8) & 0xff)]! ^
      t[1280 + ((crc >>> 16) & 0xff)]! ^
      t[1024 + (crc >>> 24)]! ^
      t[768 + bytes[at + 4]!]! ^
      t[512 + bytes[at + 5]!]! ^
      t[256 + bytes[at + 6]!]! ^
      t[bytes[at + 7]!]!;
  }
  for (; at < end; at++) crc = t[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return crc >>> 0;
}

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? polynomial : 0);
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const previous = tables[i - 256]!;
    tables[i] = tables[previous & 0xff]! ^ (previous >>> 8);
  }
  return tables;
}
