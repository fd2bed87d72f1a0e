import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";
import { Reader, readUtime, Writer } from "@siphon/wire";
import { RadosError } from "../errors.ts";

/** The initial vector of every cephx encryption with AES-128-CBC (src/auth/Crypto.cc). */
export const cephxIv = Buffer.from("cephsageyudagreg");

/**
 * A secret of cephx. The type of key decides how things are encrypted: the seam for new types. The key
 * itself stays private: it is in no public property and does not print.
 */
export interface CryptoKey {
  /** Encrypts with an envelope that proves, when decrypted, that the key was right. */
  encrypt(plain: Uint8Array): Buffer;
  /** The contents of the envelope; undefined if the key is not the one it was encrypted with. */
  decrypt(sealed: Uint8Array): Buffer | undefined;
  /** The raw key, for the message signatures and the handshake's HMAC. Never to be shown. */
  reveal(): Uint8Array;
}

const keyType = { none: 0, aes: 1, aes256k: 2 } as const;

/**
 * CryptoKey: u16 type, utime created, u16 length, bytes (src/auth/Crypto.h).
 *
 * @param what for the error message
 */
export function readCryptoKey(r: Reader, what = "the session key that the monitors gave us"): CryptoKey {
  const type = r.u16();
  readUtime(r);
  const secret = r.raw(r.u16());
  if (type === keyType.aes) return new AesKey(secret);
  if (type === keyType.aes256k) {
    throw new RadosError(
      "SIPHON_RADOS_AUTH",
      `${what} is of type aes256k, which this version of siphon cannot use`,
      { hint: "let the cluster accept keys of type aes, and give the user one: see `ceph auth`" },
    );
  }
  throw new RadosError("SIPHON_RADOS_AUTH", `${what} is of type ${type}, which is not known here`);
}

/**
 * @param text the base64 form of keyrings
 * @param whose for the error message
 */
export function parseCryptoKey(text: string, whose: string): CryptoKey {
  const bytes = Buffer.from(text.trim(), "base64");
  try {
    return readCryptoKey(new Reader(bytes, `key of ${whose}`), `the key of ${whose}`);
  } catch (error) {
    if (error instanceof RadosError) throw error;
    throw new RadosError("SIPHON_RADOS_CONFIG", `the key of ${whose} is not a Ceph key`, {
      hint: "a key is the base64 text after `key =` in a keyring; see `ceph auth get`",
    });
  }
}

const magic = 0xff009cad8826aa55n;
const envelopeBytes = 1 + 8;
const aesKeyBytes = 16;

/**
 * Type `aes`: AES-128-CBC with a fixed initial vector over
 *
 *     u8 1, u64 0xff009cad8826aa55, contents, PKCS #7 padding
 */
class AesKey implements CryptoKey {
  readonly #secret: Buffer;
  readonly #key: KeyObject;

  constructor(secret: Uint8Array) {
    if (secret.length !== aesKeyBytes) {
      throw new RadosError("SIPHON_RADOS_AUTH", `an aes key has 16 bytes, not ${secret.length}`);
    }
    this.#secret = Buffer.from(secret);
    this.#key = createSecretKey(this.#secret);
  }

  encrypt(plain: Uint8Array): Buffer {
    const cipher = createCipheriv("aes-128-cbc", this.#key, cephxIv);
    const envelope = new Writer(envelopeBytes + plain.length).u8(1).u64(magic).raw(plain).finish();
    return Buffer.concat([cipher.update(envelope), cipher.final()]);
  }

  decrypt(sealed: Uint8Array): Buffer | undefined {
    if (sealed.length === 0 || sealed.length % aesKeyBytes !== 0) return undefined;
    const decipher = createDecipheriv("aes-128-cbc", this.#key, cephxIv);
    let envelope: Buffer;
    try {
      envelope = Buffer.concat([decipher.update(sealed), decipher.final()]);
    } catch {
      return undefined;
    }
    if (envelope.length < envelopeBytes || envelope.readBigUInt64LE(1) !== magic) return undefined;
    return envelope.subarray(envelopeBytes);
  }

  reveal(): Uint8Array {
    return this.#secret;
  }
}
