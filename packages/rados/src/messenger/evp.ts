import { type EvpFunctions, evpFunctions, fixedMemory, type Pointer } from "./evp-functions.ts";
import type { GcmDirection, GcmStream } from "./gcm-stream.ts";
import type { Nonce } from "./nonce.ts";
import type { Region } from "./region.ts";

/** OpenSSL's EVP interface inside the node binary; undefined if koffi or the functions are missing. */
export interface Evp {
  stream(direction: GcmDirection, key: Uint8Array, nonce: Nonce): GcmStream;
  /** Memory at a fixed address, for values passed to OpenSSL by address. */
  allocate(length: number): Buffer;
  /** The address of bytes in an ArrayBuffer that neither moves nor grows. */
  address(bytes: Uint8Array): number;
}

/** Undefined if koffi or the functions are missing. */
export function openEvp(): Evp | undefined {
  opened ??= open();
  return opened;
}

let opened: Evp | undefined;

function open(): Evp | undefined {
  const functions = evpFunctions();
  if (functions === undefined) return undefined;
  const cipher = functions.cipher("aes_128_gcm");
  return {
    address: functions.address,
    allocate: fixedMemory,
    stream: (direction, key, nonce) => new EvpGcm(functions, cipher, direction, key, nonce),
  };
}

const controlGetTag = 0x10;
const controlSetTag = 0x11;
const tagBytes = 16;

class EvpGcm implements GcmStream {
  readonly #evp: EvpFunctions;
  readonly #nonce: Nonce;
  readonly #nonceAt: Pointer;
  /** OpenSSL writes the length of every update here. */
  readonly #scratch = fixedMemory(32);
  readonly #scratchAt: Pointer;
  #context: Pointer;

  constructor(evp: EvpFunctions, cipher: Pointer, direction: GcmDirection, key: Uint8Array, nonce: Nonce) {
    this.#evp = evp;
    this.#nonce = nonce;
    this.#nonceAt = evp.address(nonce.bytes);
    this.#scratchAt = evp.address(this.#scratch);
    this.#context = evp.contextNew();
    const copy = fixedMemory(key.length);
    copy.set(key);
    check(evp.init(this.#context, cipher, 0, evp.address(copy), 0, direction === "seal" ? 1 : 0));
    copy.fill(0);
  }

  seal(region: Region, at: number, length: number): void {
    const evp = this.#evp;
    const start = this.#locate(region) + at;
    const tag = start + length;
    this.#nonce.advance();
    check(evp.init(this.#context, 0, 0, 0, this.#nonceAt, 1));
    check(evp.update(this.#context, start, this.#scratchAt, start, length));
    check(evp.final(this.#context, tag, this.#scratchAt));
    check(evp.control(this.#context, controlGetTag, tagBytes, tag));
  }

  open(region: Region, at: number, length: number): boolean {
    this.openStart(region, at, length);
    return this.openRest(region, at + length, 0);
  }

  openStart(region: Region, at: number, length: number): void {
    this.#locate(region);
    this.#nonce.advance();
    check(this.#evp.init(this.#context, 0, 0, 0, this.#nonceAt, 0));
    this.openMore(region, at, length);
  }

  openMore(region: Region, at: number, length: number): void {
    if (length === 0) return;
    const start = this.#locate(region) + at;
    check(this.#evp.update(this.#context, start, this.#scratchAt, start, length));
  }

  openRest(region: Region, at: number, length: number): boolean {
    const tag = this.#locate(region) + at + length;
    this.openMore(region, at, length);
    check(this.#evp.control(this.#context, controlSetTag, tagBytes, tag));
    return this.#evp.final(this.#context, this.#scratchAt, this.#scratchAt) === 1;
  }

  destroy(): void {
    if (this.#context !== 0) this.#evp.contextFree(this.#context);
    this.#context = 0;
  }

  /** A freed context must never reach OpenSSL: that would be a use after free in native code. */
  #locate(region: Region): number {
    if (this.#context === 0) throw new Error("the connection's key was forgotten");
    if (region.address === 0) region.address = this.#evp.address(region.bytes);
    return region.address;
  }
}

function check(result: number): void {
  if (result !== 1) throw new Error("an AES-128-GCM operation of OpenSSL failed");
}
