import { type Code, op, wasmModule } from "./wasm.ts";

/**
 * The CRC-32C kernel: a WebAssembly function `crc32c(seed, at, end)` over bytes in its own memory.
 *
 * A multiple of the polynomial that has few terms, `1 + x^a + ... + x^n`, makes checksums cheap: the remainder stays
 * as it is when a bit of the message is replaced by copies of itself at the distances that n has to the other exponents.
 * The square of such a sum is a multiple, too, and so on: with all distances times eight, whole bytes are replaced.
 * So a message is "folded" with nothing but XOR, 16 bytes at a time, each step adding what earlier bytes were replaced by,
 *
 *     folded[i] = message[i] ^ folded[i - 1278] ^ folded[i - 1565] ^ folded[i - 5424]
 *
 * until no more than the longest distance is left. Sums of few terms are long: what the first one leaves is
 * folded again by one that is shorter, and what that leaves goes through tables.
 */
export function crc32cKernel(): Uint8Array<ArrayBuffer> {
  return wasmModule([{ name: "crc32c", parameters: 3, locals: { i32: 2 }, body: crc32cBody() }]);
}

/** Memory up to here is the kernel's own; the slicing tables must be put at its start. */
export const kernelDataAt = 64 * 1024;
/** The kernel may load (and ignore) this many bytes past the end of the data. */
export const kernelOverread = 16;

const crc = 0;
const at = 1;
const end = 2;
/** Position in the bytes that are made, and where they end. */
const i = 3;
const stop = 4;

const stepBytes = 16;
const tablesBytes = 8 * 1024;

/**
 * One way to fold, and its part of the kernel's memory; `reach` is the longest distance in whole steps:
 *
 *     tail, `reach` bytes          the last that were folded, while the rest is made
 *     zeros, `reach` + 16 bytes    never anything else: behind the tail, and in front of what is folded
 *     folded, `blockBytes`         more than that goes around: the last `reach` bytes move to the front
 *     rest, `reach` + 16 bytes
 */
interface Stage {
  /** In bytes, the longest last. */
  distances: readonly number[];
  reach: number;
  zerosAt: number;
  foldedAt: number;
  blockBytes: number;
  restAt: number;
  /** Folding less than this takes longer than what comes next; no less than the longest distance and a step. */
  leastBytes: number;
}

/** 1 + x^3859 + x^4146 + x^5424, to the power of 8. */
const coarse = stage(tablesBytes, [1278, 1565, 5424], 24 * 1024, 22 * 1024);
/** 1 + x^14 + x^39 + x^54 + x^144 + x^209, to the power of 16: no step waits for the stores just before it. */
const fine = stage(endOf(coarse), [130, 310, 340, 390, 418], 8 * 1024, 640);
/** The same, to the power of 8. */
const finer = stage(endOf(fine), [65, 155, 170, 195, 209], 512, 240);

function crc32cBody(): Code[] {
  return [...[coarse, fine, finer].map(fold), ...byTables(), op.get(crc)];
}

function stage(start: number, distances: readonly number[], blockBytes: number, leastBytes: number): Stage {
  const reach = Math.ceil(distances.at(-1)! / stepBytes) * stepBytes;
  const zerosAt = start + reach;
  const foldedAt = zerosAt + reach + stepBytes;
  return { distances, reach, zerosAt, foldedAt, blockBytes, restAt: foldedAt + blockBytes, leastBytes };
}

function endOf({ restAt, reach }: Stage): number {
  return restAt + reach + stepBytes;
}

/** Where it is worth it, folds the bytes from `at` to `end`; then `at` to `end` is what is left, with `crc` in it. */
function fold({ distances, reach, zerosAt, foldedAt, blockBytes, restAt, leastBytes }: Stage): Code {
  const longest = distances.at(-1)!;
  const left = [op.get(end), op.get(at), op.sub];
  const untilFull = [
    ...set(stop, [...left, op.const(longest), op.sub, op.const(-stepBytes), op.and, op.get(i), op.add]),
    op.if([op.get(stop), op.const(blockBytes), op.gtU], set(stop, [op.const(blockBytes)])),
    op.while([op.get(i), op.get(stop), op.ltU], step(distances, foldedAt, foldedAt)),
  ];
  // Nothing but the first step looks here.
  const seedAt = foldedAt - longest;
  return op.if(
    [...left, op.const(leastBytes), op.geU],
    [
      ...[op.const(seedAt), op.get(crc), op.store(0)],
      ...set(i, [op.const(0)]),
      ...untilFull,
      ...[op.const(seedAt), op.const(0), op.store(0)],
      op.while(
        [...left, op.const(longest + stepBytes), op.geU],
        [
          ...[op.const(foldedAt), op.const(restAt - reach), op.const(reach), op.memoryCopy],
          ...set(i, [op.const(reach)]),
          ...untilFull,
        ],
      ),
      ...[op.const(zerosAt - reach), op.get(i), op.const(foldedAt - reach), op.add],
      ...[op.const(reach), op.memoryCopy],
      ...set(i, [op.const(0)]),
      ...set(stop, left),
      op.while([op.get(i), op.get(stop), op.ltU], step(distances, zerosAt, restAt)),
      ...set(at, [op.const(restAt)]),
      ...set(end, [op.get(stop), op.const(restAt), op.add]),
      ...set(crc, [op.const(0)]),
    ],
  );
}

/** Adds to 16 bytes of the message what is due from `folded` in front of them, and puts them behind `target`. */
function step(distances: readonly number[], folded: number, target: number): Code[] {
  return [
    op.get(i),
    ...[op.get(at), op.v128Load(0)],
    ...distances.flatMap((distance) => [op.get(i), op.v128Load(folded - distance), op.v128Xor]),
    op.v128Store(target),
    ...advance(at, stepBytes),
    ...advance(i, stepBytes),
  ];
}

/** Takes the bytes from `at` to `end` into `crc`: eight a step, then one a step. */
function byTables(): Code[] {
  const eightBytes = [
    ...set(crc, [op.get(at), op.load(0), op.get(crc), op.xor]),
    ...[0, 1, 2, 3].flatMap((byte) => [
      ...[op.get(crc), op.const(8 * byte), op.shrU, op.const(0xff), op.and],
      ...tableEntry(7 - byte),
    ]),
    ...[4, 5, 6, 7].flatMap((byte) => [op.get(at), op.load8U(byte), ...tableEntry(7 - byte)]),
    ...Array<Code>(7).fill(op.xor),
    op.set(crc),
    ...advance(at, 8),
  ];
  const oneByte = [
    ...[op.get(crc), op.get(at), op.load8U(0), op.xor, op.const(0xff), op.and, ...tableEntry(0)],
    ...[op.get(crc), op.const(8), op.shrU, op.xor],
    op.set(crc),
    ...advance(at, 1),
  ];
  return [
    op.while([op.get(end), op.get(at), op.sub, op.const(8), op.geU], eightBytes),
    op.while([op.get(at), op.get(end), op.ltU], oneByte),
  ];
}

/** Replaces the byte on the stack by its entry in one of the eight tables. */
function tableEntry(table: number): Code[] {
  return [op.const(2), op.shl, op.load(1024 * table)];
}

function set(local: number, value: readonly Code[]): Code[] {
  return [...value, op.set(local)];
}

function advance(local: number, by: number): Code[] {
  return set(local, [op.get(local), op.const(by), op.add]);
}
