import { hash, randomFillSync } from "node:crypto";

/**
 * The anti-forensic splitter of LUKS (LUKS1 On-Disk Format Specification, section 2.4): a key is stored as `stripes`
 * times its size. Every byte is needed to recover it, so destroying any part destroys the key.
 */
export function splitKey(key: Buffer, stripes: number, hashName: string): Buffer {
  const material = randomFillSync(Buffer.allocUnsafeSlow(key.length * stripes));
  const mixed = mix(material, key.length, stripes, hashName);
  const last = (stripes - 1) * key.length;
  for (let at = 0; at < key.length; at++) material[last + at] = mixed[at]! ^ key[at]!;
  mixed.fill(0);
  return material;
}

/** Recovers the key of `keyBytes` bytes. */
export function mergeKey(material: Buffer, keyBytes: number, stripes: number, hashName: string): Buffer {
  const key = mix(material, keyBytes, stripes, hashName);
  const last = (stripes - 1) * keyBytes;
  for (let at = 0; at < keyBytes; at++) key[at]! ^= material[last + at]!;
  return key;
}

/** XOR of all stripes but the last, diffused after each. */
function mix(material: Buffer, keyBytes: number, stripes: number, hashName: string): Buffer {
  const mixed = Buffer.allocUnsafeSlow(keyBytes).fill(0);
  for (let stripe = 0; stripe < stripes - 1; stripe++) {
    for (let at = 0; at < keyBytes; at++) mixed[at]! ^= material[stripe * keyBytes + at]!;
    diffuse(mixed, hashName);
  }
  return mixed;
}

/** Replaces each block of a digest's length by the hash of its number (u32, big-endian) and content. */
function diffuse(bytes: Buffer, hashName: string): void {
  const digestBytes = digestLength(hashName);
  for (let start = 0, n = 0; start < bytes.length; start += digestBytes, n++) {
    const end = Math.min(start + digestBytes, bytes.length);
    const input = Buffer.allocUnsafe(4 + end - start);
    input.writeUInt32BE(n);
    bytes.copy(input, 4, start, end);
    hash(hashName, input, "buffer").copy(bytes, start, 0, end - start);
    input.fill(0);
  }
}

const digestLengths = new Map<string, number>();

function digestLength(hashName: string): number {
  const known = digestLengths.get(hashName) ?? hash(hashName, "", "buffer").length;
  digestLengths.set(hashName, known);
  return known;
}
