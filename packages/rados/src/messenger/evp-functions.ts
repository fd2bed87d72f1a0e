import { createRequire } from "node:module";

/** An address, as a number. */
export type Pointer = number;

/** OpenSSL's EVP functions for ciphers, inside the node binary. */
export interface EvpFunctions {
  contextNew(): Pointer;
  contextFree(context: Pointer): void;
  init(
    context: Pointer,
    cipher: Pointer,
    engine: Pointer,
    key: Pointer,
    iv: Pointer,
    encrypt: number,
  ): number;
  update(context: Pointer, out: Pointer, outLength: Pointer, bytes: Pointer, length: number): number;
  final(context: Pointer, out: Pointer, outLength: Pointer): number;
  control(context: Pointer, type: number, argument: number, pointer: Pointer): number;
  setPadding(context: Pointer, padding: number): number;
  /** The cipher of that name, such as `aes_128_gcm`. */
  cipher(name: string): Pointer;
  /** The address of bytes in an ArrayBuffer that neither moves nor grows. */
  address(bytes: Uint8Array): Pointer;
}

/**
 * The functions are looked up once per process. koffi is optional, so any failure is ignored: undefined if koffi or the
 * functions are missing.
 */
export function evpFunctions(): EvpFunctions | undefined {
  if (found === undefined) {
    try {
      found = load() ?? false;
    } catch {
      found = false;
    }
  }
  return found === false ? undefined : found;
}

let found: EvpFunctions | false | undefined;

/** Memory at a fixed address, outside of the garbage-collected heap. */
export function fixedMemory(length: number): Buffer {
  return Buffer.from(new ArrayBuffer(Math.max(length, 128)), 0, length);
}

/** The used part of koffi: pointers are declared as integers, so that addresses need no objects. */
interface Koffi {
  load(path: null): {
    func(name: string, result: string, parameters: string[]): (...args: never[]) => unknown;
  };
  address(bytes: Uint8Array): bigint;
}

function load(): EvpFunctions | undefined {
  if (process.env.SIPHON_NO_KOFFI === "1") return undefined;
  const koffi = createRequire(import.meta.url)("koffi") as Koffi;
  const library = koffi.load(null);
  const pointer = "uintptr_t";
  const find = <F>(name: string, result: string, parameters: string[]): F =>
    library.func(name, result, parameters) as F;
  return {
    contextNew: find("EVP_CIPHER_CTX_new", pointer, []),
    contextFree: find("EVP_CIPHER_CTX_free", "void", [pointer]),
    init: find("EVP_CipherInit_ex", "int", [pointer, pointer, pointer, pointer, pointer, "int"]),
    update: find("EVP_CipherUpdate", "int", [pointer, pointer, pointer, pointer, "int"]),
    final: find("EVP_CipherFinal_ex", "int", [pointer, pointer, pointer]),
    control: find("EVP_CIPHER_CTX_ctrl", "int", [pointer, "int", "int", pointer]),
    setPadding: find("EVP_CIPHER_CTX_set_padding", "int", [pointer, "int"]),
    cipher: (name) => find<() => Pointer>(`EVP_${name}`, pointer, [])(),
    address: (bytes) => Number(koffi.address(bytes)),
  };
}
