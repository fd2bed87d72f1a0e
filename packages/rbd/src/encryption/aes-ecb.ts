import { createCipheriv, createDecipheriv } from "node:crypto";
import { type EvpFunctions, evpFunctions } from "@siphon/rados/engine";
import { contextOf, type Direction, lengthWritten } from "./evp-context.ts";

/** AES in ECB mode, in place: the building block of AES-XTS here. */
export interface AesEcb {
  /** @param length bytes from the start of `bytes`, whole blocks */
  update(bytes: Buffer, length: number): void;
}

/** @param key 16 or 32 bytes; may be wiped afterwards */
export function aesEcb(key: Buffer, direction: Direction): AesEcb {
  const evp = evpFunctions();
  return evp === undefined ? new NodeEcb(key, direction) : new EvpEcb(evp, key, direction);
}

class EvpEcb implements AesEcb {
  readonly #evp: EvpFunctions;
  readonly #context: number;
  readonly #lengthAt: number;
  #bytes: Buffer | undefined;
  #address = 0;

  constructor(evp: EvpFunctions, key: Buffer, direction: Direction) {
    this.#evp = evp;
    this.#context = contextOf(this, evp, `aes_${8 * key.length}_ecb`, key, direction);
    this.#lengthAt = evp.address(lengthWritten);
    evp.setPadding(this.#context, 0);
  }

  update(bytes: Buffer, length: number): void {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#address = this.#evp.address(bytes);
    }
    const done = this.#evp.update(this.#context, this.#address, this.#lengthAt, this.#address, length);
    if (done !== 1) throw new Error("an AES operation of OpenSSL failed");
  }
}

class NodeEcb implements AesEcb {
  readonly #cipher: { update(bytes: Buffer): Buffer };

  constructor(key: Buffer, direction: Direction) {
    const make = direction === "encrypt" ? createCipheriv : createDecipheriv;
    this.#cipher = make(`aes-${8 * key.length}-ecb`, key, null).setAutoPadding(false);
  }

  update(bytes: Buffer, length: number): void {
    bytes.set(this.#cipher.update(bytes.subarray(0, length)));
  }
}
