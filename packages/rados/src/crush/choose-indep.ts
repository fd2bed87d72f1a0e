import { chooseItem } from "./bucket-choose.ts";
import { BUCKET_UNIFORM, type CrushBucket, ITEM_NONE } from "./map.ts";
import { isOut, itemType, type Placement, spend } from "./placement.ts";

/** One choice of items below a bucket, for results whose positions matter (erasure-coded shards). */
export interface IndepChoice {
  readonly from: CrushBucket;
  /** Type of the items wanted. */
  readonly type: number;
  /** Items go to `out[base + position]`; with `leaves` a device below each goes to `leaves[base + position]`. */
  readonly out: Int32Array;
  readonly leaves: Int32Array | undefined;
  readonly base: number;
  /** Positions that the rule as a whole wants, the stride of attempts. */
  readonly stride: number;
  readonly tries: number;
  readonly leafTries: number;
  /** Added to every attempt by the choice above. */
  readonly parentR: number;
}

/**
 * Fills the positions from `first` up to `first + count` breadth-first (crush_choose_indep in
 * src/crush/mapper.c): each attempt goes over the positions still open, so one that fails moves no other. A
 * position that stays open becomes ITEM_NONE.
 */
export function chooseIndep(p: Placement, choice: IndepChoice, first: number, count: number): void {
  const { out, leaves } = choice;
  const start = choice.base + first;
  const end = start + count;
  out.fill(undecided, start, end);
  leaves?.fill(undecided, start, end);
  let open = count;
  for (let attempt = 0; open > 0 && attempt < choice.tries; attempt++) {
    for (let at = start; at < end; at++) {
      if (out[at] !== undecided) continue;
      const item = tryPosition(p, choice, at, start, end, attempt);
      if (item === undecided) continue;
      out[at] = item;
      if (leaves !== undefined && item === ITEM_NONE) leaves[at] = ITEM_NONE;
      open--;
    }
  }
  for (let at = start; at < end; at++) {
    if (out[at] === undecided) out[at] = ITEM_NONE;
    if (leaves !== undefined && leaves[at] === undecided) leaves[at] = ITEM_NONE;
  }
}

/** Not a valid id either: devices end below ITEM_NONE. */
const undecided = 0x7ffffffe;

/** The item for `out[at]`; ITEM_NONE where the map leads nowhere, undecided where another attempt may help. */
function tryPosition(
  p: Placement,
  choice: IndepChoice,
  at: number,
  start: number,
  end: number,
  attempt: number,
): number {
  const { out, leaves, base, stride } = choice;
  let bucket = choice.from;
  for (;;) {
    spend(p, bucket.size);
    // A uniform bucket of a multiple of the stride would otherwise give each position the same items again.
    const step = bucket.algorithm === BUCKET_UNIFORM && bucket.size % stride === 0 ? stride + 1 : stride;
    const r = at - base + choice.parentR + step * attempt;
    if (bucket.size === 0) return undecided;
    const item = chooseItem(p, bucket, r, start - base);
    const type = itemType(p, item);
    if (item >= p.map.maxDevices || type === undefined) return ITEM_NONE;
    if (type !== choice.type) {
      if (item >= 0) return ITEM_NONE;
      bucket = p.map.buckets[-1 - item]!;
      continue;
    }
    for (let i = start; i < end; i++) if (out[i] === item) return undecided;
    if (leaves !== undefined) {
      if (item >= 0) leaves[at] = item;
      else {
        const below: IndepChoice = {
          from: p.map.buckets[-1 - item]!,
          type: 0,
          out: leaves,
          leaves: undefined,
          base,
          stride,
          tries: choice.leafTries,
          leafTries: 0,
          parentR: r,
        };
        chooseIndep(p, below, at - base, 1);
        if (leaves[at] === ITEM_NONE) return undecided;
      }
    }
    return type === 0 && isOut(p, item) ? undecided : item;
  }
}
