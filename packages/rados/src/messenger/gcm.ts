import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type DecipherGCM,
  type KeyObject,
} from "node:crypto";
import { RadosError } from "../errors.ts";
import { openEvp } from "./evp.ts";
import type { Region } from "./region.ts";

export const gcmTagBytes = 16;
export const gcmKeyBytes = 16;
export const gcmNonceBytes = 12;

/**
 * AES-128-GCM for one direction of one connection: each call uses the next nonce. Everything happens in
 * place, the 16-byte tag right behind the ciphertext. Two fills give the same bytes: OpenSSL's EVP functions
 * inside the node binary (with koffi, about a third of the cost), and node:crypto.
 */
export interface GcmStream {
  seal(region: Region, at: number, length: number): void;
  /** False if the tag does not match: the bytes are not what the peer sent. */
  open(region: Region, at: number, length: number): boolean;
  /** Decrypts the beginning of a message whose length is not known yet; nothing is proven until `openRest`. */
  openStart(region: Region, at: number, length: number): void;
  /** Decrypts more of the message begun by `openStart`; fastest in multiples of 16 bytes. */
  openMore(region: Region, at: number, length: number): void;
  /** Decrypts the rest of the message begun by `openStart` and checks its tag. */
  openRest(region: Region, at: number, length: number): boolean;
  /** Forgets the key. */
  destroy(): void;
}

export type GcmFill = "evp" | "node";
export type GcmDirection = "seal" | "open";

/**
 * @param key 16 bytes; copied
 * @param nonce 12 bytes, the first nonce; copied
 * @param counter which part of the nonce counts: the first four bytes (msgr2.0) or the last eight (msgr2.1)
 * @param fill which implementation; by default the fastest that loads
 */
export function createGcm(
  direction: GcmDirection,
  key: Uint8Array,
  nonce: Uint8Array,
  counter: NonceCounter,
  fill?: GcmFill,
): GcmStream {
  if (key.length !== gcmKeyBytes || nonce.length !== gcmNonceBytes) {
    throw new RangeError(`AES-128-GCM takes a key of 16 and a nonce of 12 bytes`);
  }
  const evp = fill === "node" ? undefined : openEvp();
  if (evp !== undefined)
    return evp.stream(direction, key, new Nonce(evp.allocate(gcmNonceBytes), nonce, counter));
  if (fill === "evp") throw new Error("koffi did not load: no EVP functions");
  return new NodeGcm(key, new Nonce(Buffer.alloc(gcmNonceBytes), nonce, counter));
}

export type NonceCounter = "first32" | "last64";

/** The nonce of the next message. A nonce is never given twice: when they run out, that is an error. */
export class Nonce {
  readonly bytes: Buffer;
  readonly #first: Buffer;
  readonly #counter: NonceCounter;
  #used = false;
  #spent = false;

  constructor(bytes: Buffer, first: Uint8Array, counter: NonceCounter) {
    this.bytes = bytes;
    this.bytes.set(first);
    this.#first = Buffer.from(first);
    this.#counter = counter;
  }

  /** Makes `bytes` the nonce of the next message. */
  advance(): void {
    if (!this.#used) {
      this.#used = true;
      return;
    }
    if (!this.#spent) {
      const start = this.#counter === "first32" ? 0 : 4;
      const end = this.#counter === "first32" ? 4 : gcmNonceBytes;
      const b = this.bytes;
      for (let at = start; at < end; at++) {
        b[at] = b[at]! + 1;
        if (b[at] !== 0) break;
      }
      this.#spent = b[start] === this.#first[start] && b.equals(this.#first);
    }
    if (this.#spent) {
      throw new RadosError(
        "SIPHON_RADOS_CONNECTION",
        "the connection has sent as many frames as its key allows; a new connection gets a new key",
        { retryable: true },
      );
    }
  }
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
