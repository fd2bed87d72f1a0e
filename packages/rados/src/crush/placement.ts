import { crushHash2 } from "@siphon/wire";
import { RadosError } from "../errors.ts";
import type { CrushMap } from "./map.ts";
import type { Straw2Args, Straw2Chooser } from "./straw2.ts";

/**
 * Constants of the placement of one input, and the settings that a rule's steps may change. One record is reused for all
 * placements.
 */
export interface Placement {
  readonly map: CrushMap;
  readonly straw2: Straw2Chooser;
  /** By bucket index, where one was needed. */
  readonly permutations: (Permutation | undefined)[];
  /** How much of each device is in, 16.16 fixed point, by device id; devices beyond the end are out. */
  weights: Uint32Array;
  chooseArgs: Straw2Args | undefined;
  /** The input: what is hashed, for a PG its placement seed; a signed 32-bit integer. */
  x: number;
  tries: number;
  /** 0: as the tunables say. */
  leafTries: number;
  localTries: number;
  localFallbackTries: number;
  varyR: number;
  stable: boolean;
  /** Cost that the placement may still have; see `spend`. */
  budget: number;
}

/**
 * No placement in a sane map looks at more items than this. One that does is stopped: rules and tunables
 * come from the cluster, and some of their values would keep a client busy for years.
 */
export const itemBudget = 2 ** 24;

/** Cost of an attempt besides looking at items, in items. */
const attemptCost = 16;

/** Accounts for an attempt that looks at this many items; every loop whose length the map decides comes by here. */
export function spend(p: Placement, items: number): void {
  p.budget -= items + attemptCost;
  if (p.budget >= 0) return;
  throw new RadosError(
    "SIPHON_RADOS_PROTOCOL",
    `the CRUSH rule does not end: stopped the placement of ${p.x} after ${itemBudget} items`,
    { hint: "look for extreme numbers of tries in: ceph osd crush dump" },
  );
}

/** Whether the reweight of a device turns this input away from it. */
export function isOut(p: Placement, device: number): boolean {
  const weight = p.weights[device] ?? 0;
  if (weight >= 0x10000) return false;
  return weight === 0 || (crushHash2(p.x, device) & 0xffff) >= weight;
}

/** Type of a device (0) or bucket; undefined for a bucket that does not exist. */
export function itemType(p: Placement, item: number): number | undefined {
  return item >= 0 ? 0 : p.map.buckets[-1 - item]?.type;
}

/** A pseudo-random order of a bucket's items, made as far as it was requested. */
export interface Permutation {
  readonly order: Uint32Array;
  /** The input it was made for, and how many entries of `order` are settled. */
  x: number;
  settled: number;
}
