import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type DecipherGCM,
  type KeyObject,
} from "node:crypto";
import { openEvp } from "./evp.ts";
import { type GcmDirection, type GcmStream, gcmKeyBytes, gcmNonceBytes, gcmTagBytes } from "./gcm-stream.ts";
import { Nonce, type NonceCounter } from "./nonce.ts";
import type { Region } from "./region.ts";

export type GcmFill = "evp" | "node";

/**
 * @param key 16 bytes; copied
 * @param nonce 12 bytes, the first nonce; copied
 * @param counter which part of the nonce counts: the first four bytes (msgr2.0) or the last eight (msgr2.1)
 * @param fill the implementation; default: the fastest available
 * @throws RangeError for a key or nonce of another length
 */
export function createGcm(
  direction: GcmDirection,
  key: Uint8Array,
  nonce: Uint8Array,
  counter: NonceCounter,
  fill?: GcmFill,
): GcmStream {
  if (key.length !== gcmKeyBytes || nonce.length !== gcmNonceBytes) {
    throw new RangeError(`AES-128-GCM needs a key of 16 bytes and a nonce of 12 bytes`);
  }
  const evp = fill === "node" ? undefined : openEvp();
  if (evp !== undefined)
    return evp.stream(direction, key, new Nonce(evp.allocate(gcmNonceBytes), nonce, counter));
  if (fill === "evp") throw new Error("cannot call OpenSSL's EVP functions: koffi did not load");
  return new NodeGcm(key, new Nonce(Buffer.alloc(gcmNonceBytes), nonce, counter));
}

class NodeGcm implements GcmStream {
  #key: KeyObject | undefined;
  readonly #nonce: Nonce;
  #begun: DecipherGCM | undefined;

  constructor(key: Uint8Array, nonce: Nonce) {
    this.#key = createSecretKey(key);
    this.#nonce = nonce;
  }

  seal(region: Region, at: number, length: number): void {
    this.#nonce.advance();
    const cipher = createCipheriv("aes-128-gcm", this.#secret(), this.#nonce.bytes);
    const bytes = region.bytes;
    bytes.set(cipher.update(bytes.subarray(at, at + length)), at);
    cipher.final();
    bytes.set(cipher.getAuthTag(), at + length);
  }

  open(region: Region, at: number, length: number): boolean {
    this.openStart(region, at, length);
    return this.openRest(region, at + length, 0);
  }

  openStart(region: Region, at: number, length: number): void {
    this.#nonce.advance();
    const options = { authTagLength: gcmTagBytes };
    this.#begun = createDecipheriv("aes-128-gcm", this.#secret(), this.#nonce.bytes, options);
    this.openMore(region, at, length);
  }

  openMore(region: Region, at: number, length: number): void {
    if (length === 0) return;
    const bytes = region.bytes;
    bytes.set(this.#begun!.update(bytes.subarray(at, at + length)), at);
  }

  openRest(region: Region, at: number, length: number): boolean {
    this.openMore(region, at, length);
    const tagAt = at + length;
    this.#begun!.setAuthTag(region.bytes.subarray(tagAt, tagAt + gcmTagBytes));
    try {
      this.#begun!.final();
      return true;
    } catch {
      return false;
    } finally {
      this.#begun = undefined;
    }
  }

  destroy(): void {
    this.#key = undefined;
    this.#begun = undefined;
  }

  #secret(): KeyObject {
    if (this.#key === undefined) throw new Error("the connection's key was forgotten");
    return this.#key;
  }
}
