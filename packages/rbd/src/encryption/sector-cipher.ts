import { type Cipheriv, createCipheriv, createDecipheriv } from "node:crypto";
import { kernelBytes, xtsKernel } from "./xts-kernel.ts";

/**
 * AES-XTS over sectors, each with its number as the initial value (plain64: little-endian, in units of 512 bytes whatever
 * the sector's size), as dm-crypt and librbd do it. Works in place.
 *
 * OpenSSL's own XTS needs a context set up anew for every sector: about 20 us each through `node:crypto`. Here the whole
 * request goes through AES in a call to a context that stays (ECB), with the tweaks added before and after; a second such
 * call makes the sectors' first tweaks. The result is the same by the definition of XTS.
 */
export class SectorCipher {
  readonly sectorBytes: number;
  readonly #kernel = xtsKernel();
  readonly #key: Buffer | undefined;
  readonly #algorithm: string;
  readonly #tweak: Cipheriv;
  readonly #encrypt: Cipheriv;
  readonly #decrypt: Cipheriv;
  readonly #numbers = Buffer.alloc(kernelBytes / 32);

  /**
   * @param key both keys of XTS, for data and tweaks: 32 bytes for AES-128, 64 for AES-256; may be wiped afterwards
   * @param sectorBytes 512, 1024, 2048 or 4096
   */
  constructor(key: Buffer, sectorBytes: number) {
    if (key.length !== 32 && key.length !== 64) throw new RangeError(`an XTS key of ${key.length} bytes`);
    this.sectorBytes = sectorBytes;
    const half = key.length / 2;
    this.#algorithm = `aes-${8 * half}`;
    const ecb = `${this.#algorithm}-ecb`;
    const [dataKey, tweakKey] = [key.subarray(0, half), key.subarray(half)];
    this.#encrypt = createCipheriv(ecb, dataKey, null).setAutoPadding(false);
    this.#decrypt = createDecipheriv(ecb, dataKey, null).setAutoPadding(false) as unknown as Cipheriv;
    this.#tweak = createCipheriv(ecb, tweakKey, null).setAutoPadding(false);
    this.#key = this.#kernel === undefined ? Buffer.from(key) : undefined;
  }

  /** @param sector the number of the first, in units of 512 bytes */
  encrypt(bytes: Buffer, start: number, end: number, sector: number): void {
    this.#crypt(this.#encrypt, createCipheriv, bytes, start, end, sector);
  }

  decrypt(bytes: Buffer, start: number, end: number, sector: number): void {
    this.#crypt(this.#decrypt, createDecipheriv, bytes, start, end, sector);
  }

  #crypt(
    aes: Cipheriv,
    whole: typeof createCipheriv | typeof createDecipheriv,
    bytes: Buffer,
    start: number,
    end: number,
    sector: number,
  ): void {
    if ((end - start) % this.sectorBytes !== 0)
      throw new RangeError(`${end - start} bytes are not whole sectors`);
    if (this.#kernel === undefined) {
      this.#bySector(whole, bytes, start, end, sector);
      return;
    }
    const { tweaks, data } = this.#kernel;
    for (let at = start; at < end; at += kernelBytes) {
      const length = Math.min(end - at, kernelBytes);
      const numbers = this.#numbered(sector + (at - start) / 512, length / this.sectorBytes);
      tweaks.set(this.#tweak.update(numbers));
      bytes.copy(data, 0, at, at + length);
      this.#kernel.mask(length, this.sectorBytes);
      data.set(aes.update(data.subarray(0, length)));
      this.#kernel.mask(length, this.sectorBytes);
      data.copy(bytes, at, 0, length);
    }
  }

  /** The initial values of `count` sectors. */
  #numbered(sector: number, count: number): Buffer {
    for (let n = 0; n < count; n++) writeNumber(this.#numbers, 16 * n, sector + (n * this.sectorBytes) / 512);
    return this.#numbers.subarray(0, 16 * count);
  }

  /** The slow way, where the kernel does not run. */
  #bySector(
    whole: typeof createCipheriv | typeof createDecipheriv,
    bytes: Buffer,
    start: number,
    end: number,
    sector: number,
  ): void {
    const initial = Buffer.alloc(16);
    for (let at = start; at < end; at += this.sectorBytes) {
      writeNumber(initial, 0, sector + (at - start) / 512);
      const cipher = whole(`${this.#algorithm}-xts`, this.#key!, initial);
      bytes.set(cipher.update(bytes.subarray(at, at + this.sectorBytes)), at);
    }
  }
}

function writeNumber(into: Buffer, at: number, value: number): void {
  into.writeUInt32LE(value >>> 0, at);
  into.writeUInt32LE(Math.floor(value / 0x1_0000_0000), at + 4);
}
