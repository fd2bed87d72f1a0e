import { crushHash3 } from "@siphon/wire";
import type { CrushBucket, Permutation } from "./map.ts";

/**
 * The item at place `r` of a pseudo-random permutation of a bucket's items that depends on `x` alone: the
 * way of uniform buckets, and of the exhaustive search of old tunables. The permutation is made as far as it
 * is asked for and kept with the bucket until another `x` comes.
 */
export function choosePermuted(bucket: CrushBucket, x: number, r: number): number {
  const { size } = bucket;
  const place = (r >>> 0) % size;
  bucket.permutation ??= { order: new Uint32Array(size), x: 0, settled: 0 };
  const permutation = bucket.permutation;
  if (permutation.x !== x || permutation.settled === 0) start(permutation, x);
  const { order } = permutation;
  for (; permutation.settled <= place; permutation.settled++) {
    const at = permutation.settled;
    const other = at + (crushHash3(x, bucket.id, at) % (size - at));
    const swapped = order[other]!;
    order[other] = order[at]!;
    order[at] = swapped;
  }
  return bucket.items[order[place]!]!;
}

function start(permutation: Permutation, x: number): void {
  permutation.x = x;
  permutation.settled = 0;
  for (let i = 0; i < permutation.order.length; i++) permutation.order[i] = i;
}
