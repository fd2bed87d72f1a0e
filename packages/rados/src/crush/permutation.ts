import { crushHash3 } from "@siphon/wire";
import type { CrushBucket } from "./map.ts";
import type { Placement } from "./placement.ts";

/**
 * The item at place `r` of a permutation of a bucket's items that depends on the input alone
 * (bucket_perm_choose in src/crush/mapper.c): the way of uniform buckets, and of the exhaustive search of
 * old tunables. The permutation is kept until another input comes.
 */
export function choosePermuted(p: Placement, bucket: CrushBucket, r: number): number {
  const { id, size, items } = bucket;
  const place = (r >>> 0) % size;
  p.permutations[-1 - id] ??= { order: new Uint32Array(size), x: 0, settled: 0 };
  const permutation = p.permutations[-1 - id]!;
  const { order } = permutation;
  if (permutation.x !== p.x || permutation.settled === 0) {
    permutation.x = p.x;
    permutation.settled = 0;
    for (let i = 0; i < size; i++) order[i] = i;
  }
  for (; permutation.settled <= place; permutation.settled++) {
    const at = permutation.settled;
    const other = at + (crushHash3(p.x, id, at) % (size - at));
    const swapped = order[other]!;
    order[other] = order[at]!;
    order[at] = swapped;
  }
  return items[order[place]!]!;
}
