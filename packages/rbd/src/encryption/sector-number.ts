/** A sector's number as the initial value of AES-XTS (plain64): 16 bytes, little-endian. The upper half stays as it is, zeros. */
export function writeSectorNumber(into: Buffer, at: number, number: number): void {
  into.writeUInt32LE(number >>> 0, at);
  into.writeUInt32LE(Math.floor(number / 0x1_0000_0000), at + 4);
}
