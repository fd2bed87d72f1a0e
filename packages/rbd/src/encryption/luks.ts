import { randomBytes, randomFillSync, randomUUID, timingSafeEqual } from "node:crypto";
import { Secret } from "@siphon/wire";
import type { RbdRemedy } from "../errors.ts";
import { mergeKey, splitKey } from "./af-splitter.ts";
import { asLuks, isCloneHeader } from "./clone-magic.ts";
import { EncryptionError } from "./encryption-error.ts";
import { calibrated, deriveKey, type KeyDerivation } from "./key-derivation.ts";
import {
  areaBytes,
  type KeyDigest,
  type Keyslot,
  type LuksVolume,
  luksMagic,
  type ReadHeader,
  usualStripes,
} from "./luks-volume.ts";
import { decodeLuks1, encodeLuks1, luks1HeaderBytes, luks1SlotOffset } from "./luks1-header.ts";
import { encodeLuks2, readLuks2 } from "./luks2-header.ts";
import { SectorCipher } from "./sector-cipher.ts";

/**
 * Reads the header of an encrypted image, of either version.
 *
 * @param isClone whether it has a parent: only then a clone's header is valid, because the parent's data has another
 * key
 */
export async function readLuks(read: ReadHeader, { isClone = false } = {}): Promise<LuksVolume> {
  const magic = await read(0, luksMagic.length);
  if (isCloneHeader(magic)) {
    if (isClone) return readLuks(asLuks(read));
    throw new EncryptionError(
      "SIPHON_ENCRYPTION_MALFORMED",
      "the image has the LUKS header of a clone, but no parent",
      {
        hint: "it was copied or flattened without its keys: its own key does not decrypt its parent's data",
      },
    );
  }
  const start = await read(0, luks1HeaderBytes);
  const version = start.length < luks1HeaderBytes ? 0 : start.readUInt16BE(6);
  const isLuks = start.subarray(0, luksMagic.length).equals(luksMagic);
  if (isLuks && version === 1) return decodeLuks1(start);
  if (isLuks && version !== 2) {
    throw new EncryptionError(
      "SIPHON_ENCRYPTION_UNSUPPORTED",
      `the image is encrypted with LUKS version ${version}`,
    );
  }
  try {
    return await readLuks2(read);
  } catch (error) {
    if (isLuks) throw error;
    throw new EncryptionError("SIPHON_ENCRYPTION_ABSENT", "the image has no LUKS header", {
      hint: "it is not encrypted, or not formatted yet",
      remedy: { name: "format-encryption" } satisfies RbdRemedy,
    });
  }
}

/**
 * The key of an encrypted image, from the first keyslot that opens with the passphrase.
 *
 * @throws EncryptionError `SIPHON_ENCRYPTION_PASSPHRASE` if none does
 */
export async function unlock(volume: LuksVolume, read: ReadHeader, passphrase: Secret): Promise<Secret> {
  for (const slot of volume.keyslots) {
    const material = Buffer.from(await read(slot.offset, areaBytes(volume.keyBytes, slot.stripes)));
    const used = volume.keyBytes * slot.stripes;
    if (material.length < used) continue;
    using slotKey = new Secret(
      await deriveKey(passphrase.bytes, slot.salt, slot.derivation, slot.areaKeyBytes),
    );
    const area = wholeSectors(material, used);
    using _ = new Secret(area);
    new SectorCipher(slotKey.bytes, 512).decrypt(area, 0, area.length, 0);
    const key = new Secret(mergeKey(area, volume.keyBytes, slot.stripes, slot.hash));
    const { digest } = volume.digest;
    if (timingSafeEqual(await digestOf(key, volume.digest), digest)) return key;
    key[Symbol.dispose]();
  }
  throw new EncryptionError(
    "SIPHON_ENCRYPTION_PASSPHRASE",
    "wrong passphrase: it opens no keyslot of the image",
    {
      hint: "every byte of a passphrase file counts, including a line end",
    },
  );
}

export interface FormatOptions {
  readonly version: 1 | 2;
  /** 128 or 256; of AES. Default: 256. */
  readonly keyBits?: 128 | 256;
  /** The data's offset is a multiple of this, in bytes; an object's size. */
  readonly alignment: number;
  /** Default: parameters that take this machine two seconds, PBKDF2 for LUKS1 and Argon2id for LUKS2. */
  readonly derivation?: KeyDerivation;
  /** Iterations of the key's digest. Default: as many as take 125 ms. */
  readonly digestIterations?: number;
}

/** A new header and its key. Only the key is secret. */
export interface NewLuks {
  readonly volume: LuksVolume;
  /** All bytes up to the end of the first keyslot; from there to `volume.dataOffset` must be zeros. */
  readonly header: Buffer;
  readonly key: Secret;
}

/** Makes a header with a new key and one keyslot, as `rbd encryption format` does. */
export async function formatLuks(passphrase: Secret, options: FormatOptions): Promise<NewLuks> {
  const { version, keyBits = 256, alignment } = options;
  const keyBytes = keyBits / 4;
  const key = new Secret(randomFillSync(Buffer.allocUnsafeSlow(keyBytes)));
  const slot: Keyslot = {
    id: 0,
    derivation: options.derivation ?? (await calibrated(version === 1 ? "pbkdf2" : "argon2id", 2000)),
    salt: randomBytes(32),
    offset: version === 1 ? luks1SlotOffset(0, keyBytes) : luks2SlotsOffset,
    stripes: usualStripes,
    hash: "sha256",
    areaKeyBytes: keyBytes,
  };
  const iterations = options.digestIterations ?? (await digestIterations());
  const unsealed = {
    hash: "sha256",
    iterations,
    salt: randomBytes(32),
    digest: Buffer.alloc(version === 1 ? 20 : 32),
  };
  const least = version === 1 ? luks1SlotOffset(8, keyBytes) : luks2DataOffset;
  const volume: LuksVolume = {
    version,
    uuid: randomUUID(),
    keyBytes,
    sectorBytes: version === 1 ? 512 : 4096,
    dataOffset: Math.ceil(least / alignment) * alignment,
    firstSector: 0,
    keyslots: [slot],
    digest: { ...unsealed, digest: await digestOf(key, unsealed) },
  };
  const header = Buffer.alloc(slot.offset + areaBytes(keyBytes));
  (version === 1 ? encodeLuks1(volume) : encodeLuks2(volume)).copy(header);
  (await sealed(key, slot, passphrase)).copy(header, slot.offset);
  return { volume, header, key };
}

const luks2SlotsOffset = 0x8000;
/** The space that cryptsetup keeps free for headers and keyslots. */
const luks2DataOffset = 16 * 1024 * 1024;

/** The material of a keyslot: the key, split and encrypted with the passphrase. */
async function sealed(key: Secret, slot: Keyslot, passphrase: Secret): Promise<Buffer> {
  using slotKey = new Secret(
    await deriveKey(passphrase.bytes, slot.salt, slot.derivation, slot.areaKeyBytes),
  );
  const material = splitKey(key.bytes, slot.stripes, slot.hash);
  new SectorCipher(slotKey.bytes, 512).encrypt(material, 0, material.length, 0);
  return material;
}

function digestOf(key: Secret, { hash, iterations, salt, digest }: KeyDigest): Promise<Buffer> {
  return deriveKey(key.bytes, salt, { type: "pbkdf2", hash, iterations }, digest.length);
}

async function digestIterations(): Promise<number> {
  const derivation = await calibrated("pbkdf2", 125);
  return derivation.type === "pbkdf2" ? derivation.iterations : 0;
}

/** The sectors that hold the first `length` bytes. */
function wholeSectors(material: Buffer, length: number): Buffer {
  return material.subarray(0, Math.ceil(length / 512) * 512);
}
