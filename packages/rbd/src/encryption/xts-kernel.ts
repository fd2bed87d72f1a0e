import { type Code, op, wasmModule, webAssembly } from "@siphon/wire";

/** The memory of the kernel, and its call. */
export interface XtsKernel {
  /** The tweaks of the first blocks of sectors, 16 bytes each; to be filled before `mask`. */
  readonly tweaks: Buffer;
  readonly data: Buffer;
  /** Adds (XOR) to each block of the first `length` bytes of `data` its tweak, sector by sector. */
  mask(length: number, sectorBytes: number): void;
}

/** Bytes of `data`. */
export const kernelBytes = 64 * 1024;

/**
 * The part of AES-XTS (IEEE 1619) that is not AES: the tweak of a block is that of the one before times x in GF(2^128),
 * with x^128 = x^7 + x^2 + x + 1, a shift by one bit whose carry comes back as 0x87. Undefined if the runtime has no
 * WebAssembly SIMD. There is one per process: each use is synchronous.
 */
export function xtsKernel(): XtsKernel | undefined {
  made ??= { kernel: make() };
  return made.kernel;
}

let made: { readonly kernel: XtsKernel | undefined } | undefined;

function make(): XtsKernel | undefined {
  if (webAssembly === undefined) return undefined;
  const code = wasmModule([{ name: "mask", parameters: 4, locals: { i32: 1, v128: 1 }, body: maskBody }]);
  if (!webAssembly.validate(code)) return undefined;
  const pages = (dataAt + kernelBytes) / 65536;
  const memory = new webAssembly.Memory({ initial: pages, maximum: pages });
  const { exports } = new webAssembly.Instance(new webAssembly.Module(code), { env: { memory } });
  const mask = exports.mask as (at: number, end: number, tweaks: number, sectorBytes: number) => number;
  return {
    tweaks: Buffer.from(memory.buffer, 0, kernelBytes / 32),
    data: Buffer.from(memory.buffer, dataAt, kernelBytes),
    mask: (length, sectorBytes) => void mask(dataAt, dataAt + length, 0, sectorBytes),
  };
}

/** In the kernel's memory; the tweaks come before. */
const dataAt = 64 * 1024;

const at = 0;
const end = 1;
const tweaks = 2;
const sectorBytes = 3;
const sectorEnd = 4;
const tweak = 5;

const maskBody: readonly Code[] = [
  op.while(
    [op.get(at), op.get(end), op.ltU],
    [
      ...[op.get(tweaks), op.v128Load(0), op.set(tweak)],
      ...[op.get(tweaks), op.const(16), op.add, op.set(tweaks)],
      ...[op.get(at), op.get(sectorBytes), op.add, op.set(sectorEnd)],
      op.while(
        [op.get(at), op.get(sectorEnd), op.ltU],
        [
          ...[op.get(at), op.get(at), op.v128Load(0), op.get(tweak), op.v128Xor, op.v128Store(0)],
          ...[op.get(tweak), op.const(1), op.i64x2Shl],
          ...timesXCarries(),
          ...[op.v128Xor, op.set(tweak)],
          ...[op.get(at), op.const(16), op.add, op.set(at)],
        ],
      ),
    ],
  ),
  op.get(at),
];

/** Carries of a shift of both halves by one bit: the lower half's top bit belongs to the upper half, the upper's is 0x87. */
function timesXCarries(): Code[] {
  const topBits = [op.get(tweak), op.const(31), op.i32x4ShrS];
  return [...topBits, ...topBits, op.i32x4Shuffle(3, 0, 1, 2), op.i32x4Const(0x87, 0, 1, 0), op.v128And];
}
