import { EncryptionError } from "./encryption-error.ts";
import type { KeyDerivation } from "./key-derivation.ts";

/** The header of an encrypted image, of either version of LUKS. */
export interface LuksVolume {
  readonly version: 1 | 2;
  readonly uuid: string;
  /** Bytes of the key: 32 for AES-128-XTS, 64 for AES-256-XTS. */
  readonly keyBytes: number;
  readonly sectorBytes: number;
  /** Offset of the data in bytes. */
  readonly dataOffset: number;
  /** The number of the first sector of the data, in units of 512 bytes. */
  readonly firstSector: number;
  /** In the order in which they are tried. */
  readonly keyslots: readonly Keyslot[];
  readonly digest: KeyDigest;
}

/** The key, encrypted with a passphrase. */
export interface Keyslot {
  readonly id: number;
  readonly derivation: KeyDerivation;
  readonly salt: Buffer;
  /** Offset of the key's material in the image, in bytes; its length is `stripes` times the key's size. */
  readonly offset: number;
  readonly stripes: number;
  /** Hash of the anti-forensic splitter. */
  readonly hash: string;
  /** Bytes of the key that the material is encrypted with, by AES-XTS. */
  readonly areaKeyBytes: number;
}

/** A PBKDF2 digest of the key, to verify it. */
export interface KeyDigest {
  readonly hash: string;
  readonly iterations: number;
  readonly salt: Buffer;
  readonly digest: Buffer;
}

/** Reads from the start of the image; shorter at its end. */
export type ReadHeader = (offset: number, length: number) => Promise<Buffer>;

/** At the start of either version's header. */
export const luksMagic = Buffer.from("LUKS\xba\xbe", "latin1");

/** The stripes of every keyslot that cryptsetup makes. */
export const usualStripes = 4000;

/** Bytes of a keyslot's material: whole blocks of 4096. */
export function areaBytes(keyBytes: number, stripes = usualStripes): number {
  return Math.ceil((keyBytes * stripes) / 4096) * 4096;
}

/** The allowed hashes; OpenSSL uses the same names. */
export const luksHashes = new Set(["sha1", "sha224", "sha256", "sha384", "sha512", "ripemd160"]);

/**
 * Rejects invalid parameters before any memory or CPU time is spent on them.
 *
 * @param headersEnd least offset of keyslots, in bytes
 */
export function checkVolume(volume: LuksVolume, headersEnd: number): LuksVolume {
  const refuse = (what: string) => {
    throw new EncryptionError("SIPHON_ENCRYPTION_MALFORMED", `invalid LUKS${volume.version} header: ${what}`);
  };
  const sector = volume.version === 1 ? 512 : 4096;
  if (volume.dataOffset % sector !== 0) refuse(`a data offset of ${volume.dataOffset} bytes`);
  // An empty digest would match any key.
  if (volume.digest.digest.length < 20) refuse(`${volume.digest.digest.length} bytes of digest`);
  checkCost(volume.digest.iterations, 2 ** 31 - 1, "iterations of the digest");
  for (const { id, derivation, offset, stripes, areaKeyBytes } of volume.keyslots) {
    const what = (field: string) => `${field} of keyslot ${id}`;
    checkCost(stripes, 2 ** 16, what("stripes"));
    const end = offset + areaBytes(volume.keyBytes, stripes);
    if (offset < headersEnd || end > volume.dataOffset || offset % 512 !== 0) {
      refuse(`the material of keyslot ${id} is at bytes ${offset} to ${end}`);
    }
    if (!isKeyLength(areaKeyBytes)) refuse(`the key of keyslot ${id}'s material has ${areaKeyBytes} bytes`);
    if (derivation.type === "pbkdf2") {
      checkCost(derivation.iterations, 2 ** 31 - 1, what("iterations"));
    } else {
      checkCost(derivation.time, 2 ** 31 - 1, what("passes"));
      checkCost(derivation.cpus, 4, what("threads"));
      // The most that cryptsetup takes, in KiB.
      checkCost(derivation.memory, 4 * 1024 * 1024, what("KiB of memory"));
    }
  }
  return volume;

  function checkCost(value: number, most: number, what: string): void {
    if (!Number.isSafeInteger(value) || value < 1 || value > most) refuse(`${value} ${what}`);
  }
}

/** Whether a key of AES-128-XTS or AES-256-XTS has this length, in bytes. */
export function isKeyLength(bytes: number): boolean {
  return bytes === 32 || bytes === 64;
}

/** The text of a zero-padded field. */
export function fixedText(bytes: Buffer, at: number, length: number): string {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString("latin1", 0, end === -1 ? length : end);
}
