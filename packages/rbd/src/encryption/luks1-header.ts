import { EncryptionError } from "./encryption-error.ts";
import {
  areaBytes,
  checkVolume,
  fixedText,
  isKeyLength,
  type Keyslot,
  type LuksVolume,
  luksHashes,
  luksMagic,
  usualStripes,
} from "./luks-volume.ts";

/**
 * The header of LUKS1 (LUKS1 On-Disk Format Specification), big-endian, lengths in bytes:
 *
 *     0 magic 6, version u16     8 cipher 32      40 mode 32        72 hash 32      104 data offset u32 (sectors)
 *     108 key bytes u32          112 digest 20    132 salt 32      164 iterations u32    168 uuid 40
 *     208 eight keyslots of: active u32, iterations u32, salt 32, material offset u32 (sectors), stripes u32
 */
export const luks1HeaderBytes = 592;

export function decodeLuks1(bytes: Buffer): LuksVolume {
  const hash = fixedText(bytes, 72, 32);
  const cipher = `${fixedText(bytes, 8, 32)}-${fixedText(bytes, 40, 32)}`;
  const keyBytes = bytes.readUInt32BE(108);
  if (cipher !== "aes-xts-plain64" || !isKeyLength(keyBytes) || !luksHashes.has(hash)) {
    throw new EncryptionError(
      "SIPHON_ENCRYPTION_UNSUPPORTED",
      `the LUKS1 header uses cipher ${cipher} with ${8 * keyBytes} bits of key and hash ${hash}`,
      { hint: "siphon supports aes-xts-plain64 with keys of 256 or 512 bits" },
    );
  }
  const keyslots: Keyslot[] = [];
  for (let id = 0; id < slots; id++) {
    const at = 208 + 48 * id;
    if (bytes.readUInt32BE(at) !== active) continue;
    keyslots.push({
      id,
      derivation: { type: "pbkdf2", hash, iterations: bytes.readUInt32BE(at + 4) },
      salt: Buffer.from(bytes.subarray(at + 8, at + 40)),
      offset: 512 * bytes.readUInt32BE(at + 40),
      stripes: bytes.readUInt32BE(at + 44),
      hash,
      areaKeyBytes: keyBytes,
    });
  }
  const volume: LuksVolume = {
    version: 1,
    uuid: fixedText(bytes, 168, 40),
    keyBytes,
    sectorBytes: 512,
    dataOffset: 512 * bytes.readUInt32BE(104),
    firstSector: 0,
    keyslots,
    digest: {
      hash,
      iterations: bytes.readUInt32BE(164),
      salt: Buffer.from(bytes.subarray(132, 164)),
      digest: Buffer.from(bytes.subarray(112, 132)),
    },
  };
  return checkVolume(volume, luks1HeaderBytes);
}

/** The header, with places for eight keyslots, of which those given are in use. */
export function encodeLuks1(volume: LuksVolume): Buffer {
  const bytes = Buffer.alloc(luks1HeaderBytes);
  luksMagic.copy(bytes);
  bytes.writeUInt16BE(1, 6);
  bytes.write("aes", 8);
  bytes.write("xts-plain64", 40);
  bytes.write(volume.digest.hash, 72);
  bytes.writeUInt32BE(volume.dataOffset / 512, 104);
  bytes.writeUInt32BE(volume.keyBytes, 108);
  volume.digest.digest.copy(bytes, 112);
  volume.digest.salt.copy(bytes, 132);
  bytes.writeUInt32BE(volume.digest.iterations, 164);
  bytes.write(volume.uuid, 168);
  for (let id = 0; id < slots; id++) {
    const at = 208 + 48 * id;
    const slot = volume.keyslots.find((used) => used.id === id);
    bytes.writeUInt32BE(slot === undefined ? inactive : active, at);
    if (slot?.derivation.type === "pbkdf2") {
      bytes.writeUInt32BE(slot.derivation.iterations, at + 4);
      slot.salt.copy(bytes, at + 8);
    }
    bytes.writeUInt32BE(luks1SlotOffset(id, volume.keyBytes) / 512, at + 40);
    bytes.writeUInt32BE(usualStripes, at + 44);
  }
  return bytes;
}

/** Offset of a keyslot's material in bytes; the data may begin after the last of eight. */
export function luks1SlotOffset(id: number, keyBytes: number): number {
  return 4096 + id * areaBytes(keyBytes);
}

const slots = 8;
const active = 0x00ac71f3;
const inactive = 0x0000dead;
