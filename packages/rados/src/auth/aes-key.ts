import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";
import { Writer } from "@siphon/wire";
import { RadosError } from "../errors.ts";
import { type CryptoKey, inEnvelope, outOfEnvelope, xorWords } from "./crypto-key.ts";

/** The initial vector of every cephx encryption with AES-128-CBC (src/auth/Crypto.cc). */
export const cephxIv = Buffer.from("cephsageyudagreg");

const keyBytes = 16;

/**
 * Type `aes`: AES-128-CBC with a fixed initial vector and PKCS #7 padding over the envelope. The usage has no effect.
 */
export class AesKey implements CryptoKey {
  readonly type = "aes";
  readonly #secret: Buffer;
  readonly #key: KeyObject;

  constructor(secret: Uint8Array) {
    if (secret.length !== keyBytes) {
      throw new RadosError("SIPHON_RADOS_AUTH", `an aes key has ${keyBytes} bytes, not ${secret.length}`);
    }
    this.#secret = Buffer.from(secret);
    this.#key = createSecretKey(this.#secret);
  }

  encrypt(plain: Uint8Array): Buffer {
    const cipher = createCipheriv("aes-128-cbc", this.#key, cephxIv);
    return Buffer.concat([cipher.update(inEnvelope(plain)), cipher.final()]);
  }

  decrypt(sealed: Uint8Array): Buffer | undefined {
    if (sealed.length === 0 || sealed.length % keyBytes !== 0) return undefined;
    const decipher = createDecipheriv("aes-128-cbc", this.#key, cephxIv);
    try {
      return outOfEnvelope(Buffer.concat([decipher.update(sealed), decipher.final()]));
    } catch {
      return undefined;
    }
  }

  /** The challenges encrypted, behind their u32 length. */
  prove(challenges: Uint8Array): bigint {
    return xorWords(new Writer().blob(this.encrypt(challenges)).finish());
  }

  /** The block encrypted without an envelope. */
  sign(block: Uint8Array): Buffer {
    return createCipheriv("aes-128-cbc", this.#key, cephxIv).update(block);
  }

  reveal(): Uint8Array {
    return this.#secret;
  }
}
