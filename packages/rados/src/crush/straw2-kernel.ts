import { type Code, op, wasmModule } from "@siphon/wire";

/**
 * The inner loop of placement as a WebAssembly function `choose(ids, weights, end, x, r)`: the offset
 * from `ids` of the item that a straw2 bucket chooses (bucket_straw2_choose in src/crush/mapper.c). Four items
 * are hashed at a time.
 *
 * `ids` (i32) and `weights` (f64) are addresses of arrays padded to a multiple of four with items of weight 0,
 * `end` is the address after the padded ids. The table of crush_ln (crushLnTable) lies at address 0.
 *
 * Everything is exact: logarithms are integers above -2^49, weights below 2^32, and a quotient of
 * those is never so close below an integer that a double rounds it up. An item of weight 0 draws minus
 * infinity or NaN, which win against nothing.
 */
export function straw2Kernel(): Uint8Array<ArrayBuffer> {
  const locals = { i32: 2, f64: 2, v128: 6 };
  return wasmModule([{ name: "choose", parameters: 5, locals, body: straw2Body }]);
}

/** Memory below this holds the table of logarithms. */
export const straw2DataAt = 0x10000 * 8;

const [ids, weights, end, x, r, at, winner, draw, longest] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
const [a, b, c, x0, y0, hash] = [9, 10, 11, 12, 13, 14];

const straw2Body: readonly Code[] = [
  ...[op.f64Const(Number.NEGATIVE_INFINITY), op.set(longest)],
  ...[op.get(ids), op.set(at), op.get(ids), op.set(winner)],
  op.while(
    [op.get(at), op.get(end), op.ltU],
    [
      ...hashItems(),
      ...[op.get(hash), op.const(0xffff), op.i32x4Splat, op.v128And],
      ...[op.const(3), op.i32x4Shl, op.set(hash)],
      ...drawTwo(0),
      ...drawTwo(2),
      ...[op.get(at), op.const(16), op.add, op.set(at)],
      ...[op.get(weights), op.const(32), op.add, op.set(weights)],
    ],
  ),
  ...[op.get(winner), op.get(ids), op.sub],
];

/** crush_hash32_3(x, id, r) of four ids. */
function hashItems(): Code[] {
  return [
    ...[op.get(x), op.i32x4Splat, op.set(a)],
    ...[op.get(at), op.v128Load(0), op.set(b)],
    ...[op.get(r), op.i32x4Splat, op.set(c)],
    ...[op.const(231232), op.i32x4Splat, op.set(x0)],
    ...[op.const(1232), op.i32x4Splat, op.set(y0)],
    ...[op.const(1315423911), op.i32x4Splat],
    ...[op.get(a), op.v128Xor, op.get(b), op.v128Xor, op.get(c), op.v128Xor, op.set(hash)],
    ...mix(a, b, hash),
    ...mix(c, x0, hash),
    ...mix(y0, a, hash),
    ...mix(b, x0, hash),
    ...mix(y0, c, hash),
  ];
}

function mix(p: number, q: number, s: number): Code[] {
  return [
    ...mixStep(p, q, s, op.i32x4ShrU, 13),
    ...mixStep(q, s, p, op.i32x4Shl, 8),
    ...mixStep(s, p, q, op.i32x4ShrU, 13),
    ...mixStep(p, q, s, op.i32x4ShrU, 12),
    ...mixStep(q, s, p, op.i32x4Shl, 16),
    ...mixStep(s, p, q, op.i32x4ShrU, 5),
    ...mixStep(p, q, s, op.i32x4ShrU, 3),
    ...mixStep(q, s, p, op.i32x4Shl, 10),
    ...mixStep(s, p, q, op.i32x4ShrU, 15),
  ];
}

/** p = (p - q - s) ^ shifted s */
function mixStep(p: number, q: number, s: number, shift: Code, bits: number): Code[] {
  return [
    ...[op.get(p), op.get(q), op.i32x4Sub, op.get(s), op.i32x4Sub],
    ...[op.get(s), op.const(bits), shift, op.v128Xor, op.set(p)],
  ];
}

/** Draws for the items of `lane` and the next one; the first of equal draws wins. */
function drawTwo(lane: number): Code[] {
  return [
    ...[op.get(hash), op.i32x4ExtractLane(lane + 1)],
    ...[op.get(hash), op.i32x4ExtractLane(lane), op.v128Load64Zero, op.v128Load64Lane(1)],
    ...[op.get(weights), op.v128Load(8 * lane), op.f64x2Div, op.f64x2Ceil, op.set(a)],
    ...[0, 1].flatMap((half) => [
      op.get(a),
      ...[op.f64x2ExtractLane(half), op.set(draw)],
      op.if(
        [op.get(draw), op.get(longest), op.f64Gt],
        [
          ...[op.get(draw), op.set(longest)],
          ...[op.get(at), op.const(4 * (lane + half)), op.add, op.set(winner)],
        ],
      ),
    ]),
  ];
}
