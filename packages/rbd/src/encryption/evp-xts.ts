import { type EvpFunctions, evpFunctions, fixedMemory } from "@siphon/rados/engine";
import { contextOf, type Direction, lengthWritten } from "./evp-context.ts";

/**
 * OpenSSL's AES-XTS, in place, in a persistent context. Each sector costs two calls, which pays for large sectors.
 * Undefined if the functions are missing or reject the key: this OpenSSL rejects keys with two equal halves.
 */
export function evpXts(key: Buffer, direction: Direction): EvpXts | undefined {
  const evp = evpFunctions();
  if (evp === undefined) return undefined;
  try {
    return new EvpXts(evp, key, direction);
  } catch {
    return undefined;
  }
}

export class EvpXts {
  readonly #evp: EvpFunctions;
  readonly #context: number;
  readonly #number = fixedMemory(16);
  readonly #numberAt: number;
  readonly #lengthAt: number;
  /** Address of reused memory. */
  readonly #addresses = new WeakMap<ArrayBufferLike, number>();

  constructor(evp: EvpFunctions, key: Buffer, direction: Direction) {
    this.#evp = evp;
    this.#context = contextOf(this, evp, `aes_${4 * key.length}_xts`, key, direction);
    this.#numberAt = evp.address(this.#number);
    this.#lengthAt = evp.address(lengthWritten);
  }

  /** As of `SectorCipher.encrypt`. */
  update(bytes: Buffer, start: number, end: number, sector: number, sectorBytes: number): void {
    const evp = this.#evp;
    const base = this.#addressOf(bytes.buffer) + bytes.byteOffset;
    let number = sector;
    for (let at = start; at < end; at += sectorBytes, number += sectorBytes / 512) {
      writeSectorNumber(this.#number, 0, number);
      // Keeps the key and the direction.
      const begun = evp.init(this.#context, 0, 0, 0, this.#numberAt, -1);
      const done = evp.update(this.#context, base + at, this.#lengthAt, base + at, sectorBytes);
      if (begun !== 1 || done !== 1) throw new Error("an AES-XTS operation of OpenSSL failed");
    }
  }

  #addressOf(memory: ArrayBufferLike): number {
    let address = this.#addresses.get(memory);
    if (address === undefined) {
      address = this.#evp.address(new Uint8Array(memory));
      this.#addresses.set(memory, address);
    }
    return address;
  }
}

/** A sector's number as the initial value of AES-XTS (plain64): 16 bytes, little-endian. The upper half stays as it is, zeros. */
export function writeSectorNumber(into: Buffer, at: number, number: number): void {
  into.writeUInt32LE(number >>> 0, at);
  into.writeUInt32LE(Math.floor(number / 0x1_0000_0000), at + 4);
}
