import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import { RadosError } from "../errors.ts";
import { type CryptoKey, inEnvelope, outOfEnvelope, xorWords } from "./crypto-key.ts";

const keyBytes = 32;
const blockBytes = 16;
const checksumBytes = 24;
const zeroIv = Buffer.alloc(blockBytes);

/**
 * Type `aes256k`: AES256-CTS-HMAC-SHA384-192 of RFC 8009 over the envelope, with keys derived for each usage
 * (CryptoAES256KRB5, src/auth/Crypto.cc). Values that are never decrypted are an HMAC-SHA-256 with the key itself.
 */
export class Aes256kKey implements CryptoKey {
  readonly type = "aes256k";
  readonly #secret: Buffer;
  readonly #key: KeyObject;
  /** By usage; each is needed for every ticket and connection. */
  readonly #derived = new Map<number, DerivedKeys>();

  constructor(secret: Uint8Array) {
    if (secret.length !== keyBytes) {
      throw new RadosError("SIPHON_RADOS_AUTH", `an aes256k key has ${keyBytes} bytes, not ${secret.length}`);
    }
    this.#secret = Buffer.from(secret);
    this.#key = createSecretKey(this.#secret);
  }

  encrypt(plain: Uint8Array, usage: number): Buffer {
    return encryptRfc8009(this.#keysFor(usage), inEnvelope(plain), randomBytes(blockBytes));
  }

  decrypt(sealed: Uint8Array, usage: number): Buffer | undefined {
    const envelope = decryptRfc8009(this.#keysFor(usage), sealed);
    return envelope && outOfEnvelope(envelope);
  }

  prove(challenges: Uint8Array): bigint {
    return xorWords(this.sign(challenges));
  }

  sign(block: Uint8Array): Buffer {
    return createHmac("sha256", this.#key).update(block).digest();
  }

  reveal(): Uint8Array {
    return this.#secret;
  }

  #keysFor(usage: number): DerivedKeys {
    const known = this.#derived.get(usage);
    if (known !== undefined) return known;
    const keys = deriveKeys(this.#secret, usage);
    this.#derived.set(usage, keys);
    return keys;
  }
}

/** Keys of one usage: Ke encrypts, Ki proves that nothing was changed. */
export interface DerivedKeys {
  encryption: KeyObject;
  integrity: KeyObject;
}

/** Ke and Ki of RFC 8009, section 5. */
export function deriveKeys(secret: Uint8Array, usage: number): DerivedKeys {
  return {
    encryption: derive(secret, usage, 0xaa, 32),
    integrity: derive(secret, usage, 0x55, checksumBytes),
  };
}

/** KDF-HMAC-SHA2: the first bytes of HMAC-SHA-384 over u32 1, u32 usage, u8 purpose, u8 0, u32 bits, big-endian. */
function derive(secret: Uint8Array, usage: number, purpose: number, bytes: number): KeyObject {
  const label = Buffer.alloc(14);
  label.writeUInt32BE(1, 0);
  label.writeUInt32BE(usage, 4);
  label[8] = purpose;
  label.writeUInt32BE(bytes * 8, 10);
  return createSecretKey(createHmac("sha384", secret).update(label).digest().subarray(0, bytes));
}

/**
 * The encryption function of RFC 8009, section 5: AES-256-CBC-CTS of the confounder and the text, then 24 bytes of
 * HMAC-SHA-384 over the initial vector and that.
 *
 * @param confounder 16 random bytes
 */
export function encryptRfc8009(keys: DerivedKeys, plain: Uint8Array, confounder: Uint8Array): Buffer {
  const text = encryptCts(keys.encryption, Buffer.concat([confounder, plain]));
  return Buffer.concat([text, checksum(keys.integrity, text)]);
}

/** The text; undefined if it was altered, or encrypted with another key or for another usage. */
export function decryptRfc8009(keys: DerivedKeys, sealed: Uint8Array): Buffer | undefined {
  if (sealed.length < blockBytes + checksumBytes) return undefined;
  const text = sealed.subarray(0, sealed.length - checksumBytes);
  if (!timingSafeEqual(checksum(keys.integrity, text), sealed.subarray(text.length))) return undefined;
  return decryptCts(keys.encryption, text).subarray(blockBytes);
}

function checksum(key: KeyObject, text: Uint8Array): Buffer {
  return createHmac("sha384", key).update(zeroIv).update(text).digest().subarray(0, checksumBytes);
}

/**
 * CBC with ciphertext stealing as in Kerberos (CS3): the text is padded with zeros and encrypted, the last two blocks
 * are swapped, and the last is truncated to the length of the text. A single block is plain CBC.
 */
function encryptCts(key: KeyObject, plain: Buffer): Buffer {
  const whole = Math.ceil(plain.length / blockBytes) * blockBytes;
  const cipher = createCipheriv("aes-256-cbc", key, zeroIv).setAutoPadding(false);
  const sealed = cipher.update(Buffer.concat([plain], whole));
  return swapLast(sealed).subarray(0, plain.length);
}

function decryptCts(key: KeyObject, sealed: Uint8Array): Buffer {
  const whole = Math.ceil(sealed.length / blockBytes) * blockBytes;
  const text = Buffer.concat([sealed], whole);
  const missing = whole - sealed.length;
  if (missing > 0) {
    // The end of the cut block: the zeros behind the text, exclusive or the block itself, are what the other decrypts to.
    const other = text.subarray(whole - 2 * blockBytes, whole - blockBytes);
    const decipher = createDecipheriv("aes-256-cbc", key, zeroIv).setAutoPadding(false);
    decipher.update(other).copy(text, sealed.length, blockBytes - missing);
  }
  const decipher = createDecipheriv("aes-256-cbc", key, zeroIv).setAutoPadding(false);
  return decipher.update(swapLast(text)).subarray(0, sealed.length);
}

/** Swaps the last two blocks; a single block stays unchanged. */
function swapLast(blocks: Buffer): Buffer {
  if (blocks.length <= blockBytes) return blocks;
  const rest = blocks.length - 2 * blockBytes;
  const last = blocks.subarray(rest + blockBytes);
  return Buffer.concat([blocks.subarray(0, rest), last, blocks.subarray(rest, rest + blockBytes)]);
}
