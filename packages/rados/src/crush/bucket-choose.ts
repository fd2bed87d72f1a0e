import { crushHash3, crushHash4 } from "@siphon/wire";
import { crushLnTable } from "./ln.ts";
import {
  BUCKET_LIST,
  BUCKET_STRAW,
  BUCKET_STRAW2,
  BUCKET_TREE,
  BUCKET_UNIFORM,
  type ChooseArg,
  type CrushBucket,
  ITEM_NONE,
} from "./map.ts";
import { choosePermuted } from "./permutation.ts";

/**
 * The item of a non-empty bucket for placement input `x` and attempt `r` (crush_bucket_choose in
 * src/crush/mapper.c). All results are those of the C code to the bit: its products and quotients stay
 * below 2^53 here, or are split where they do not.
 *
 * @param position in the result, which of the weight sets of `arg` applies
 */
export function chooseFromBucket(
  bucket: CrushBucket,
  x: number,
  r: number,
  arg: ChooseArg | undefined,
  position: number,
): number {
  switch (bucket.algorithm) {
    case BUCKET_STRAW2:
      return chooseStraw2(bucket, x, r, arg, position);
    case BUCKET_STRAW:
      return chooseStraw(bucket, x, r);
    case BUCKET_LIST:
      return chooseList(bucket, x, r);
    case BUCKET_TREE:
      return chooseTree(bucket, x, r);
    case BUCKET_UNIFORM:
      return choosePermuted(bucket, x, r);
  }
}

/** Each item draws a logarithm divided by its weight; the largest draw (all are negative) wins. */
function chooseStraw2(
  bucket: CrushBucket,
  x: number,
  r: number,
  arg: ChooseArg | undefined,
  position: number,
): number {
  const sets = arg?.weightSets;
  const weights =
    sets === undefined || sets.length === 0 ? bucket.weights : sets[Math.min(position, sets.length - 1)]!;
  const ids = arg?.ids ?? bucket.items;
  const ln = crushLnTable();
  let winner = 0;
  let longest = Number.NEGATIVE_INFINITY;
  const weighed = Math.min(bucket.size, weights.length);
  for (let i = 0; i < weighed; i++) {
    const weight = weights[i]!;
    if (weight === 0) continue;
    // A quotient of integers below 2^49 and 2^32 is never so close below an integer that a double rounds it up.
    const draw = Math.ceil(ln[crushHash3(x, ids[i]!, r) & 0xffff]! / weight);
    if (draw > longest) {
      winner = i;
      longest = draw;
    }
  }
  return bucket.items[winner]!;
}

function chooseStraw(bucket: CrushBucket, x: number, r: number): number {
  let winner = 0;
  let longest = -1;
  for (let i = 0; i < bucket.size; i++) {
    const draw = (crushHash3(x, bucket.items[i]!, r) & 0xffff) * bucket.extra[i]!;
    if (draw > longest) {
      winner = i;
      longest = draw;
    }
  }
  return bucket.items[winner]!;
}

/** From the last item back, each is taken with the chance of its weight in the sum up to it. */
function chooseList(bucket: CrushBucket, x: number, r: number): number {
  for (let i = bucket.size - 1; i >= 0; i--) {
    const draw = crushHash4(x, bucket.items[i]!, r, bucket.id) & 0xffff;
    if (Math.floor((draw * bucket.extra[i]!) / 0x10000) < bucket.weights[i]!) return bucket.items[i]!;
  }
  return bucket.items[0]!;
}

/**
 * A binary tree in an array: leaves are the odd indices, a node's height the number of zero bits at its
 * end. Goes left where the draw, scaled to the node's weight, falls into the left child's.
 */
function chooseTree(bucket: CrushBucket, x: number, r: number): number {
  const nodes = bucket.extra;
  let node = nodes.length >> 1;
  while ((node & 1) === 0) {
    const hash = crushHash4(x, node, r, bucket.id);
    const weight = nodes[node]!;
    const low = Math.floor(((hash & 0xffff) * weight) / 0x10000);
    const draw = Math.floor(((hash >>> 16) * weight + low) / 0x10000);
    const half = (node & -node) >> 1;
    node = draw < nodes[node - half]! ? node - half : node + half;
  }
  return bucket.items[node >> 1] ?? ITEM_NONE;
}
