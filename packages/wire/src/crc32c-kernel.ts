import { type Code, op, wasmModule } from "./wasm.ts";

/**
 * The CRC-32C kernel: a WebAssembly function `crc32c(seed, at, end)` over bytes in its own memory.
 *
 * The Castagnoli polynomial divides 1 + x^14 + x^39 + x^54 + x^144 + x^209, and so also that sum with every
 * exponent times 16. A byte of the message may therefore be replaced, without changing the remainder, by
 * copies of itself 130, 310, 340, 390 and 418 bytes further on. So a block is "folded" with nothing but
 * XOR, 16 bytes at a time, each step adding what the earlier bytes were replaced by:
 *
 *     folded[i] = message[i] ^ folded[i - 130] ^ folded[i - 310] ^ ... ^ folded[i - 418]
 *
 * until only its last 418 to 433 bytes are left, which go through tables. The seed is added to the first
 * four bytes. Larger multiples than 16 make that rest longer; at 8 each step would wait for the
 * store of the one four before it.
 */
export function crc32cKernel(): Uint8Array<ArrayBuffer> {
  return wasmModule([{ name: "crc32c", parameters: 3, locals: { i32: 4 }, body: crc32cBody }]);
}

/** Memory up to here is the kernel's own; the slicing tables must be put at its start. */
export const kernelDataAt = 64 * 1024;
/** The kernel may load (and ignore) this many bytes past the end of the data. */
export const kernelOverread = 16;

const distances = [130, 310, 340, 390, 418];
const longest = 418;
const blockBytes = 32 * 1024;
/** Below this, what folding leaves to the tables is most of the data. */
const leastFolded = 640;

// Memory: the tables; 432 bytes that stay zero; the folded bytes of a block. What is left at a block's end
// is kept behind the zeros that follow the folded bytes, at the same offset as in the block.
const foldedAt = 8 * 1024 + 432;
const restAt = foldedAt + 512;

const crc = 0;
const at = 1;
const end = 2;
/** End of the block at hand. */
const blockEnd = 3;
/** Position in the folded bytes of the block, and where folding stops (a multiple of 16). */
const i = 4;
const stop = 5;
const scratch = 6;

const crc32cBody: readonly Code[] = [
  op.while(
    [op.get(end), op.get(at), op.sub, op.const(leastFolded), op.geU],
    [
      ...set(blockEnd, [op.get(end)]),
      op.if(
        [op.get(end), op.get(at), op.sub, op.const(blockBytes), op.gtU],
        set(blockEnd, [op.get(at), op.const(blockBytes), op.add]),
      ),
      ...foldBlock(),
      ...set(scratch, [op.get(end)]),
      ...set(end, [op.get(i), op.const(restAt), op.add]),
      ...set(at, [op.get(stop), op.const(restAt), op.add]),
      ...set(crc, [op.const(0)]),
      ...byTables(),
      ...set(end, [op.get(scratch)]),
      ...set(at, [op.get(blockEnd)]),
    ],
  ),
  ...byTables(),
  op.get(crc),
];

/** Folds the bytes from `at` to `blockEnd`; leaves the rest at `restAt`, from offset `stop` up to `i`. */
function foldBlock(): Code[] {
  return [
    ...set(stop, [op.get(blockEnd), op.get(at), op.sub, op.const(longest), op.sub, op.const(-16), op.and]),
    op.const(foldedAt),
    ...[op.get(at), op.v128Load(0)],
    ...[op.v128Zero, op.get(crc), op.i32x4ReplaceLane(0), op.v128Xor],
    op.v128Store(0),
    ...advance(at, 16),
    ...set(i, [op.const(16)]),
    op.while([op.get(i), op.get(stop), op.ltU], foldStep(foldedAt)),

    // Beyond `stop` nothing is replaced any more: zeros keep the rest from being added to itself.
    ...set(scratch, [op.get(stop)]),
    op.while(
      [op.get(scratch), op.get(stop), op.const(longest + 16), op.add, op.ltU],
      [op.get(scratch), op.v128Zero, op.v128Store(foldedAt), ...advance(scratch, 16)],
    ),
    ...set(scratch, [op.get(blockEnd), op.get(at), op.sub, op.get(stop), op.add]),
    op.while([op.get(i), op.get(scratch), op.ltU], foldStep(restAt)),
    ...set(i, [op.get(scratch)]),
  ];
}

function foldStep(target: number): Code[] {
  return [
    op.get(i),
    ...[op.get(at), op.v128Load(0)],
    ...distances.flatMap((distance) => [op.get(i), op.v128Load(foldedAt - distance), op.v128Xor]),
    op.v128Store(target),
    ...advance(at, 16),
    ...advance(i, 16),
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
