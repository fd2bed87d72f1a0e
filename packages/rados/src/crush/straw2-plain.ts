import { crushHash3 } from "@siphon/wire";
import { crushLn } from "./ln.ts";
import type { CrushBucket } from "./map.ts";

/** The same choice as the kernel's, item by item: for the few placements of a short command, which end before a kernel could be ready. */
export function chooseStraw2({ items, weights, size }: CrushBucket, x: number, r: number): number {
  let winner = 0;
  let longest = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < size; at++) {
    const weight = weights[at] ?? 0;
    if (weight === 0) continue;
    const draw = Math.ceil(crushLn(crushHash3(x, items[at]!, r) & 0xffff) / weight);
    if (draw > longest) {
      longest = draw;
      winner = at;
    }
  }
  return items[winner]!;
}
