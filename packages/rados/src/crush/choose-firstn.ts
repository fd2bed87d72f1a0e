import { chooseItem } from "./bucket-choose.ts";
import { type CrushBucket, ITEM_NONE } from "./map.ts";
import { choosePermuted } from "./permutation.ts";
import { isOut, itemType, type Placement, spend } from "./placement.ts";

/** One choice of items below a bucket, for results without fixed positions. */
export interface FirstnChoice {
  readonly from: CrushBucket;
  /** Type of the items wanted. */
  readonly type: number;
  /** Items go to `out[base + position]`; with `leaves` a device below each goes to `leaves[base + position]`. */
  readonly out: Int32Array;
  readonly leaves: Int32Array | undefined;
  readonly base: number;
  readonly tries: number;
  readonly leafTries: number;
  /** Added to every attempt by the choice above. */
  readonly parentR: number;
}

/**
 * Chooses distinct items depth-first (crush_choose_firstn in src/crush/mapper.c): an item that is taken already or
 * out is tried again, first nearby and then from the top; a position without an item is left out.
 *
 * @param filled positions taken already
 * @param wanted attempts to make, as positions of the replicas
 * @param room positions that may be added
 * @returns positions taken at the end
 */
export function chooseFirstn(
  p: Placement,
  choice: FirstnChoice,
  filled: number,
  wanted: number,
  room: number,
): number {
  let position = filled;
  const end = filled + room;
  for (let replica = p.stable ? 0 : filled; replica < wanted && position < end; replica++) {
    const item = findItem(p, choice, replica, position, end - position);
    if (item === ITEM_NONE) continue;
    choice.out[choice.base + position] = item;
    position++;
  }
  return position;
}

function findItem(
  p: Placement,
  choice: FirstnChoice,
  replica: number,
  position: number,
  room: number,
): number {
  for (let failures = 0; ; ) {
    let bucket = choice.from;
    let localFailures = 0;
    for (;;) {
      spend(p, bucket.size);
      const r = replica + choice.parentR + failures;
      let collides = false;
      if (bucket.size > 0) {
        const item = searchesAll(p, bucket, localFailures)
          ? choosePermuted(p, bucket, r)
          : chooseItem(p, bucket, r, position);
        const type = itemType(p, item);
        if (item >= p.map.maxDevices || type === undefined) return ITEM_NONE;
        if (type !== choice.type) {
          if (item >= 0) return ITEM_NONE;
          bucket = p.map.buckets[-1 - item]!;
          continue;
        }
        collides = isTaken(choice, item, position);
        if (!collides && leafFound(p, choice, item, r, position, room) && (type !== 0 || !isOut(p, item))) {
          return item;
        }
      }
      failures++;
      localFailures++;
      const again =
        (collides && localFailures <= p.localTries) ||
        (p.localFallbackTries > 0 && localFailures <= bucket.size + p.localFallbackTries);
      if (again) continue;
      if (failures < choice.tries) break;
      return ITEM_NONE;
    }
  }
}

/** After many failures in one bucket, old tunables go through all its items. */
function searchesAll(p: Placement, bucket: CrushBucket, localFailures: number): boolean {
  return (
    p.localFallbackTries > 0 && localFailures >= bucket.size >> 1 && localFailures > p.localFallbackTries
  );
}

function isTaken({ out, base }: FirstnChoice, item: number, position: number): boolean {
  for (let i = base; i < base + position; i++) if (out[i] === item) return true;
  return false;
}

/** Where devices are wanted below the items: whether one was found and stored below this one. */
function leafFound(
  p: Placement,
  { leaves, base, leafTries }: FirstnChoice,
  item: number,
  r: number,
  position: number,
  room: number,
): boolean {
  if (leaves === undefined) return true;
  if (item >= 0) {
    leaves[base + position] = item;
    return true;
  }
  const choice: FirstnChoice = {
    from: p.map.buckets[-1 - item]!,
    type: 0,
    out: leaves,
    leaves: undefined,
    base,
    tries: leafTries,
    leafTries: 0,
    parentR: p.varyR === 0 ? 0 : r >> (p.varyR - 1),
  };
  return chooseFirstn(p, choice, position, p.stable ? 1 : position + 1, room) > position;
}
