/**
 * Just enough of an assembler for the WebAssembly binary format (https://webassembly.github.io/spec/core/binary/)
 * to write a small kernel as readable code and have its bytes at load time. Instructions are arrays of
 * bytes; a body is their concatenation.
 */
export type Code = readonly number[];

/** The part of the WebAssembly interface used here (the types of Node leave it out). */
export interface WebAssemblyApi {
  validate(bytes: Uint8Array): boolean;
  Module: new (bytes: Uint8Array) => WasmModule;
  Memory: new (pages: { initial: number; maximum?: number }) => WasmMemory;
  Instance: new (
    module: WasmModule,
    imports: { env: { memory: WasmMemory } },
  ) => { exports: Record<string, unknown> };
}

export interface WasmModule {
  readonly [Symbol.toStringTag]: "WebAssembly.Module";
}

export interface WasmMemory {
  /** Another one after `grow`. */
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** Undefined in a runtime without WebAssembly (`node --jitless`). */
export const webAssembly = (globalThis as { WebAssembly?: WebAssemblyApi }).WebAssembly;

/** One function of a module: every parameter and the result is an i32. */
export interface WasmFunction {
  name: string;
  parameters: number;
  /** Further locals, numbered after the parameters in this order. */
  locals: { i32?: number; f64?: number; v128?: number };
  body: readonly Code[];
}

/** A module that imports its memory as `env.memory` and exports the functions. */
export function wasmModule(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const types = functions.map((f) => [0x60, ...vector(Array(f.parameters).fill([i32])), 1, i32]);
  const bodies = functions.map((f) => {
    const locals = vector([
      [...leb(f.locals.i32 ?? 0), i32],
      [...leb(f.locals.f64 ?? 0), f64],
      [...leb(f.locals.v128 ?? 0), v128],
    ]);
    const code = [...locals, ...f.body.flat(), endOpcode];
    return [...leb(code.length), ...code];
  });
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, types),
    ...section(2, [[...name("env"), ...name("memory"), 0x02, 0x00, 0x01]]),
    ...section(
      3,
      functions.map((_, index) => leb(index)),
    ),
    ...section(
      7,
      functions.map((f, index) => [...name(f.name), 0x00, ...leb(index)]),
    ),
    ...section(10, bodies),
  ]);
}

export const op = {
  get: (local: number): Code => [0x20, ...leb(local)],
  set: (local: number): Code => [0x21, ...leb(local)],
  tee: (local: number): Code => [0x22, ...leb(local)],
  const: (value: number): Code => [0x41, ...signedLeb(value)],
  add: [0x6a],
  sub: [0x6b],
  mul: [0x6c],
  and: [0x71],
  xor: [0x73],
  shl: [0x74],
  shrU: [0x76],
  ltU: [0x49],
  gtU: [0x4b],
  geU: [0x4f],
  load: (offset: number): Code => [0x28, 0, ...leb(offset)],
  load8U: (offset: number): Code => [0x2d, 0, ...leb(offset)],
  store: (offset: number): Code => [0x36, 0, ...leb(offset)],
  /** From the stack: to where, from where, how many bytes. */
  memoryCopy: [0xfc, 0x0a, 0, 0],
  f64Const: (value: number): Code => [0x44, ...new Uint8Array(Float64Array.of(value).buffer)],
  f64Gt: [0x64],
  v128Load: (offset: number): Code => [0xfd, 0x00, 0, ...leb(offset)],
  v128Store: (offset: number): Code => [0xfd, 0x0b, 0, ...leb(offset)],
  v128Zero: [0xfd, 0x0c, ...Array<number>(16).fill(0)],
  i32x4Const: (...lanes: [number, number, number, number]): Code => [
    ...[0xfd, 0x0c],
    ...new Uint8Array(Uint32Array.of(...lanes).buffer),
  ],
  v128And: [0xfd, 0x4e],
  v128Xor: [0xfd, 0x51],
  /** A 64-bit word into the lower half, the upper becomes zero. */
  v128Load64Zero: [0xfd, 0x5d, 0, 0],
  v128Load64Lane: (lane: number): Code => [0xfd, 0x57, 0, 0, lane],
  i32x4Splat: [0xfd, 0x11],
  i32x4ExtractLane: (lane: number): Code => [0xfd, 0x1b, lane],
  i32x4Sub: [0xfd, 0xb1, 0x01],
  i32x4Shl: [0xfd, 0xab, 0x01],
  i32x4ShrS: [0xfd, 0xac, 0x01],
  i32x4ShrU: [0xfd, 0xad, 0x01],
  i64x2Shl: [0xfd, 0xcb, 0x01],
  /** The four 32-bit lanes, each the one of this number: 0 to 3 of the first operand, 4 to 7 of the second. */
  i32x4Shuffle: (...lanes: [number, number, number, number]): Code => [
    ...[0xfd, 0x0d],
    ...lanes.flatMap((lane) => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3]),
  ],
  f64x2ExtractLane: (lane: number): Code => [0xfd, 0x21, lane],
  f64x2Div: [0xfd, 0xf3, 0x01],
  f64x2Ceil: [0xfd, 0x74],
  i32x4ReplaceLane: (lane: number): Code => [0xfd, 0x1c, lane],
  if: (condition: readonly Code[], body: readonly Code[]): Code => [
    ...condition.flat(),
    ...[0x04, noResult],
    ...body.flat(),
    endOpcode,
  ],
  /** Repeats the body for as long as the condition holds. */
  while: (condition: readonly Code[], body: readonly Code[]): Code => [
    ...[0x02, noResult, 0x03, noResult],
    ...condition.flat(),
    ...[0x45, 0x0d, 1],
    ...body.flat(),
    ...[0x0c, 0, endOpcode, endOpcode],
  ],
} as const;

const i32 = 0x7f;
const f64 = 0x7c;
const v128 = 0x7b;
const noResult = 0x40;
const endOpcode = 0x0b;

function section(id: number, items: readonly Code[]): number[] {
  const content = vector(items);
  return [id, ...leb(content.length), ...content];
}

function vector(items: readonly Code[]): number[] {
  return [...leb(items.length), ...items.flat()];
}

function name(text: string): number[] {
  return [...leb(text.length), ...Buffer.from(text)];
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}

function signedLeb(value: number): number[] {
  if (value >= -0x40 && value < 0x40) return [value & 0x7f];
  return [(value & 0x7f) | 0x80, ...signedLeb(value >> 7)];
}
