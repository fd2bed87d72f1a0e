import { createCipheriv, createDecipheriv } from "node:crypto";
import { type AesEcb, aesEcb } from "./aes-ecb.ts";
import type { Direction } from "./evp-context.ts";
import { evpXts, writeSectorNumber } from "./evp-xts.ts";
import { kernelBytes, type XtsKernel, xtsKernel } from "./xts-kernel.ts";

/**
 * AES-XTS over sectors, each with its number as the initial value (plain64: little-endian, in units of 512 bytes whatever
 * the sector's size), as dm-crypt and librbd do it. Works in place.
 *
 * Large sectors use OpenSSL's XTS in a persistent context (16 KiB in sectors of 4096 bytes: 5.5 us). For small sectors
 * its two calls per sector cost more than the work (sectors of 512 bytes: 15 us). There a whole request goes through
 * AES-ECB in one call, with the tweaks added before and after, and a second such call computes the sectors' first
 * tweaks. By the definition of XTS the result is the same. The second way also works without koffi.
 */
export class SectorCipher {
  readonly sectorBytes: number;
  readonly #encrypt: Crypt;
  readonly #decrypt: Crypt;

  /**
   * @param key both keys of XTS, for data and tweaks: 32 bytes for AES-128, 64 for AES-256; may be wiped afterwards
   * @param sectorBytes 512, 1024, 2048 or 4096
   */
  constructor(key: Buffer, sectorBytes: number) {
    if (key.length !== 32 && key.length !== 64) throw new RangeError(`an XTS key of ${key.length} bytes`);
    this.sectorBytes = sectorBytes;
    this.#encrypt = cryptOf(key, sectorBytes, "encrypt");
    this.#decrypt = cryptOf(key, sectorBytes, "decrypt");
  }

  /** @param sector the number of the first, in units of 512 bytes */
  encrypt(bytes: Buffer, start: number, end: number, sector: number): void {
    this.#check(end - start);
    this.#encrypt(bytes, start, end, sector);
  }

  decrypt(bytes: Buffer, start: number, end: number, sector: number): void {
    this.#check(end - start);
    this.#decrypt(bytes, start, end, sector);
  }

  #check(length: number): void {
    if (length % this.sectorBytes !== 0) throw new RangeError(`${length} bytes are not whole sectors`);
  }
}

type Crypt = (bytes: Buffer, start: number, end: number, sector: number) => void;

function cryptOf(key: Buffer, sectorBytes: number, direction: Direction): Crypt {
  const xts = sectorBytes >= largeSector ? evpXts(key, direction) : undefined;
  if (xts !== undefined) {
    return (bytes, start, end, sector) => xts.update(bytes, start, end, sector, sectorBytes);
  }
  const masked = MaskedAes.create(key, sectorBytes, direction);
  if (masked !== undefined) return (bytes, start, end, sector) => masked.update(bytes, start, end, sector);
  return bySector(Buffer.from(key), sectorBytes, direction);
}

/** Bytes of a sector from which OpenSSL's XTS is faster. */
const largeSector = 2048;

/** AES-XTS built from AES-ECB and tweaks, for all sectors of a request together. */
class MaskedAes {
  readonly #kernel: XtsKernel;
  readonly #sectorBytes: number;
  readonly #tweak: AesEcb;
  readonly #aes: AesEcb;

  /** Undefined without the WebAssembly kernel. */
  static create(key: Buffer, sectorBytes: number, direction: Direction): MaskedAes | undefined {
    const kernel = xtsKernel();
    return kernel && new MaskedAes(kernel, key, sectorBytes, direction);
  }

  private constructor(kernel: XtsKernel, key: Buffer, sectorBytes: number, direction: Direction) {
    const half = key.length / 2;
    this.#kernel = kernel;
    this.#sectorBytes = sectorBytes;
    this.#aes = aesEcb(key.subarray(0, half), direction);
    this.#tweak = aesEcb(key.subarray(half), "encrypt");
  }

  update(bytes: Buffer, start: number, end: number, sector: number): void {
    const sectorBytes = this.#sectorBytes;
    const { tweaks, data } = this.#kernel;
    for (let at = start; at < end; at += kernelBytes) {
      const length = Math.min(end - at, kernelBytes);
      const sectors = length / sectorBytes;
      tweaks.fill(0, 0, 16 * sectors);
      for (let n = 0; n < sectors; n++) {
        writeSectorNumber(tweaks, 16 * n, sector + (at - start + n * sectorBytes) / 512);
      }
      this.#tweak.update(tweaks, 16 * sectors);
      bytes.copy(data, 0, at, at + length);
      this.#kernel.mask(length, sectorBytes);
      this.#aes.update(data, length);
      this.#kernel.mask(length, sectorBytes);
      data.copy(bytes, at, 0, length);
    }
  }
}

/** The slow way: about 20 us a sector. */
function bySector(key: Buffer, sectorBytes: number, direction: Direction): Crypt {
  const make = direction === "encrypt" ? createCipheriv : createDecipheriv;
  const algorithm = `aes-${4 * key.length}-xts`;
  const initial = Buffer.alloc(16);
  return (bytes, start, end, sector) => {
    for (let at = start; at < end; at += sectorBytes) {
      writeSectorNumber(initial, 0, sector + (at - start) / 512);
      bytes.set(make(algorithm, key, initial).update(bytes.subarray(at, at + sectorBytes)), at);
    }
  };
}
