import { crushHash3, crushHash4 } from "@siphon/wire";
import {
  BUCKET_LIST,
  BUCKET_STRAW,
  BUCKET_STRAW2,
  BUCKET_TREE,
  BUCKET_UNIFORM,
  type CrushBucket,
  ITEM_NONE,
} from "./map.ts";
import { choosePermuted } from "./permutation.ts";
import type { Placement } from "./placement.ts";

/**
 * The item of a bucket that is not empty, for attempt `r` (crush_bucket_choose in src/crush/mapper.c). All results
 * are those of the C code to the bit: its products stay below 2^53 here, or are split where they do not.
 *
 * @param position in the result, which decides between the weight sets of a straw2 bucket
 */
export function chooseItem(p: Placement, bucket: CrushBucket, r: number, position: number): number {
  switch (bucket.algorithm) {
    case BUCKET_STRAW2:
      return p.straw2.choose(bucket, p.x, r, p.chooseArgs, position);
    case BUCKET_STRAW:
      return chooseStraw(bucket, p.x, r);
    case BUCKET_LIST:
      return chooseList(bucket, p.x, r);
    case BUCKET_TREE:
      return chooseTree(bucket, p.x, r);
    case BUCKET_UNIFORM:
      return choosePermuted(p, bucket, r);
  }
}

/** Each item draws a number scaled by its straw; the largest draw wins. */
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
