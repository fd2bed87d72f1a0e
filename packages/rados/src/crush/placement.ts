import { crushHash2 } from "@siphon/wire";
import type { CrushMap } from "./map.ts";
import type { Permutation } from "./permutation.ts";
import type { Straw2Args, Straw2Chooser } from "./straw2.ts";

/**
 * What stays the same while one input is placed, and the settings that a rule's steps may change. One record
 * is reused for all placements.
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
  /** Items that may still be looked at. */
  budget: number;
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
