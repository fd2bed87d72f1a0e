import { type Code, op, wasmModule } from "@siphon/wire";

/**
 * The inner loop of placement as a WebAssembly function `choose(ids, weights, end, x, r)`: the offset
 * from `ids` of the item that a straw2 bucket chooses (bucket_straw2_choose in src/crush/mapper.c). Eight items
 * are hashed at a time.
 *
 * `ids` (i32) and `weights` (f64) are addresses of arrays padded to a multiple of eight with items of weight 0,
 * `end` is the address after the padded ids. The table of crush_ln (crushLnTable) lies at address 0.
 *
 * Everything is exact: logarithms are integers above -2^49, weights below 2^32, and a quotient of
 * those is never so close below an integer that a double rounds it up. An item of weight 0 draws minus
 * infinity, which wins against nothing.
 */
export function straw2Kernel(): Uint8Array<ArrayBuffer> {
  const locals = { i32: 2, f64: 2, v128: 13 };
  return wasmModule([{ name: "choose", parameters: 5, locals, body: straw2Body() }]);
}

/** Memory below this holds the table of logarithms. */
export const straw2DataAt = 0x10000 * 8;

const [ids, weights, end, x, r, at, winner, draw, longest] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
const draws = 9;
/** The hashing of two times four items runs side by side, for each step of one waits for the one before. */
const chains = [
  { a: 10, b: 11, c: 12, x0: 13, y0: 14, hash: 15 },
  { a: 16, b: 17, c: 18, x0: 19, y0: 20, hash: 21 },
];
type Chain = (typeof chains)[number];

function straw2Body(): Code[] {
  return [
    ...[op.f64Const(Number.NEGATIVE_INFINITY), op.set(longest)],
    ...[op.get(ids), op.set(at), op.get(ids), op.set(winner)],
    op.while(
      [op.get(at), op.get(end), op.ltU],
      [
        ...hashItems(),
        ...chains.flatMap(({ hash }, chain) => [
          ...drawTwo(hash, 0, 4 * chain),
          ...drawTwo(hash, 2, 4 * chain),
        ]),
        ...[op.get(at), op.const(32), op.add, op.set(at)],
        ...[op.get(weights), op.const(64), op.add, op.set(weights)],
      ],
    ),
    ...[op.get(winner), op.get(ids), op.sub],
  ];
}

/** crush_hash32_3(x, id, r) of eight ids, and where its lower half lies in the table. */
function hashItems(): Code[] {
  return [
    ...chains.flatMap(({ a, b, c, x0, y0, hash }, chain) => [
      ...[op.get(x), op.i32x4Splat, op.set(a)],
      ...[op.get(at), op.v128Load(16 * chain), op.set(b)],
      ...[op.get(r), op.i32x4Splat, op.set(c)],
      ...[op.const(231232), op.i32x4Splat, op.set(x0)],
      ...[op.const(1232), op.i32x4Splat, op.set(y0)],
      ...[op.const(1315423911), op.i32x4Splat],
      ...[op.get(a), op.v128Xor, op.get(b), op.v128Xor, op.get(c), op.v128Xor, op.set(hash)],
    ]),
    ...mix("a", "b"),
    ...mix("c", "x0"),
    ...mix("y0", "a"),
    ...mix("b", "x0"),
    ...mix("y0", "c"),
    ...chains.flatMap(({ hash }) => [
      ...[op.get(hash), op.const(0xffff), op.i32x4Splat, op.v128And],
      ...[op.const(3), op.i32x4Shl, op.set(hash)],
    ]),
  ];
}

/** crush_hashmix(p, q, hash) */
function mix(p: keyof Chain, q: keyof Chain): Code[] {
  return [
    ...mixStep(p, q, "hash", op.i32x4ShrU, 13),
    ...mixStep(q, "hash", p, op.i32x4Shl, 8),
    ...mixStep("hash", p, q, op.i32x4ShrU, 13),
    ...mixStep(p, q, "hash", op.i32x4ShrU, 12),
    ...mixStep(q, "hash", p, op.i32x4Shl, 16),
    ...mixStep("hash", p, q, op.i32x4ShrU, 5),
    ...mixStep(p, q, "hash", op.i32x4ShrU, 3),
    ...mixStep(q, "hash", p, op.i32x4Shl, 10),
    ...mixStep("hash", p, q, op.i32x4ShrU, 15),
  ];
}

/** p = (p - q - s) ^ shifted s */
function mixStep(p: keyof Chain, q: keyof Chain, s: keyof Chain, shift: Code, bits: number): Code[] {
  return chains.flatMap((chain) => [
    ...[op.get(chain[p]), op.get(chain[q]), op.i32x4Sub, op.get(chain[s]), op.i32x4Sub],
    ...[op.get(chain[s]), op.const(bits), shift, op.v128Xor, op.set(chain[p])],
  ]);
}

/**
 * Draws for the items of `lane` of a chain and the next one, the items `first` and the next of those that are
 * looked at; the first of equal draws wins.
 */
function drawTwo(hash: number, lane: number, firstOfChain: number): Code[] {
  const first = firstOfChain + lane;
  return [
    ...[op.get(hash), op.i32x4ExtractLane(lane + 1)],
    ...[op.get(hash), op.i32x4ExtractLane(lane), op.v128Load64Zero, op.v128Load64Lane(1)],
    ...[op.get(weights), op.v128Load(8 * first), op.f64x2Div, op.f64x2Ceil, op.set(draws)],
    ...[0, 1].flatMap((half) => [
      ...[op.get(draws), op.f64x2ExtractLane(half), op.set(draw)],
      op.if(
        [op.get(draw), op.get(longest), op.f64Gt],
        [
          ...[op.get(draw), op.set(longest)],
          ...[op.get(at), op.const(4 * (first + half)), op.add, op.set(winner)],
        ],
      ),
    ]),
  ];
}
