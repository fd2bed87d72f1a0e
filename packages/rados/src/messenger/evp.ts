import { createRequire } from "node:module";
import type { GcmDirection, GcmStream } from "./gcm-stream.ts";
import type { Nonce } from "./nonce.ts";
import type { Region } from "./region.ts";

/** OpenSSL's EVP interface inside the node binary; undefined where koffi or the functions are missing. */
export interface Evp {
  stream(direction: GcmDirection, key: Uint8Array, nonce: Nonce): GcmStream;
  /** Memory that stays where it is, for values handed to OpenSSL by address. */
  allocate(length: number): Buffer;
  /** Where the bytes are in memory; they must be in an ArrayBuffer that neither moves nor grows. */
  address(bytes: Uint8Array): number;
}

/** The functions are looked up once a process; koffi is an accelerator, so any failure just means none. */
export function openEvp(): Evp | undefined {
  if (opened === undefined) {
    try {
      opened = load() ?? false;
    } catch {
      opened = false;
    }
  }
  return opened === false ? undefined : opened;
}

let opened: Evp | false | undefined;

type Pointer = number;
type Function<A extends unknown[], R> = (...args: A) => R;

/** What is used of koffi: pointers are declared as integers, so that addresses need no object each. */
interface Koffi {
  load(path: null): { func(name: string, result: string, parameters: string[]): Function<never[], unknown> };
  address(bytes: Uint8Array): bigint;
}

interface Functions {
  contextNew: Function<[], Pointer>;
  contextFree: Function<[Pointer], void>;
  cipher: Pointer;
  init: Function<[Pointer, Pointer, Pointer, Pointer, Pointer, number], number>;
  update: Function<[Pointer, Pointer, Pointer, Pointer, number], number>;
  final: Function<[Pointer, Pointer, Pointer], number>;
  control: Function<[Pointer, number, number, Pointer], number>;
}

function load(): Evp | undefined {
  if (process.env.SIPHON_NO_KOFFI === "1") return undefined;
  const koffi = createRequire(import.meta.url)("koffi") as Koffi;
  const library = koffi.load(null);
  const pointer = "uintptr_t";
  const find = <F>(name: string, result: string, parameters: string[]): F =>
    library.func(name, result, parameters) as F;
  const functions: Functions = {
    contextNew: find("EVP_CIPHER_CTX_new", pointer, []),
    contextFree: find("EVP_CIPHER_CTX_free", "void", [pointer]),
    cipher: find<() => Pointer>("EVP_aes_128_gcm", pointer, [])(),
    init: find("EVP_CipherInit_ex", "int", [pointer, pointer, pointer, pointer, pointer, "int"]),
    update: find("EVP_CipherUpdate", "int", [pointer, pointer, pointer, pointer, "int"]),
    final: find("EVP_CipherFinal_ex", "int", [pointer, pointer, pointer]),
    control: find("EVP_CIPHER_CTX_ctrl", "int", [pointer, "int", "int", pointer]),
  };
  const address = (bytes: Uint8Array): number => Number(koffi.address(bytes));
  return {
    address,
    allocate,
    stream: (direction, key, nonce) => new EvpGcm(functions, address, direction, key, nonce),
  };
}

/** Off the garbage-collected heap, where V8 would move it. */
function allocate(length: number): Buffer {
  return Buffer.from(new ArrayBuffer(Math.max(length, 128)), 0, length);
}

const controlGetTag = 0x10;
const controlSetTag = 0x11;
const tagBytes = 16;

class EvpGcm implements GcmStream {
  readonly #evp: Functions;
  readonly #address: (bytes: Uint8Array) => number;
  readonly #nonce: Nonce;
  readonly #nonceAt: Pointer;
  /** OpenSSL writes the length of every update here. */
  readonly #scratch = allocate(32);
  readonly #scratchAt: Pointer;
  #context: Pointer;

  constructor(
    evp: Functions,
    address: (bytes: Uint8Array) => number,
    direction: GcmDirection,
    key: Uint8Array,
    nonce: Nonce,
  ) {
    this.#evp = evp;
    this.#address = address;
    this.#nonce = nonce;
    this.#nonceAt = address(nonce.bytes);
    this.#scratchAt = address(this.#scratch);
    this.#context = evp.contextNew();
    const copy = allocate(key.length);
    copy.set(key);
    check(evp.init(this.#context, evp.cipher, 0, address(copy), 0, direction === "seal" ? 1 : 0));
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
    if (region.address === 0) region.address = this.#address(region.bytes);
    return region.address;
  }
}

function check(result: number): void {
  if (result !== 1) throw new Error("OpenSSL refused an AES-128-GCM operation");
}
