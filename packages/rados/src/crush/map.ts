/** The CRUSH map: a hierarchy of buckets over devices, and the rules that choose from it (src/crush/crush.h). */
export interface CrushMap {
  /** By index -1 - id; undefined where no bucket has that id. */
  readonly buckets: readonly (CrushBucket | undefined)[];
  /** By rule id. */
  readonly rules: readonly (CrushRule | undefined)[];
  /** The ids of all devices in buckets are below this. */
  readonly maxDevices: number;
  readonly tunables: CrushTunables;
  /** Replacement weights and ids, by pool id; `defaultChooseArgs` is for every pool without its own. */
  readonly chooseArgs: ReadonlyMap<number, ChooseArgs>;
  readonly names: CrushNames;
}

export interface CrushBucket {
  /** Negative. */
  readonly id: number;
  /** Number of its type (host, rack, ...); 0 is a device. */
  readonly type: number;
  readonly algorithm: BucketAlgorithm;
  /** 16.16 fixed point, as every weight here. */
  readonly weight: number;
  readonly size: number;
  /** Devices (0 and up) and buckets (negative). */
  readonly items: Int32Array;
  /** Weight of each item; a uniform bucket has one weight for all. */
  readonly weights: Uint32Array;
  /** list: sums of the weights up to each item; tree: weights of its nodes; straw: length of each item's straw. */
  readonly extra: Uint32Array;
}

export const BUCKET_UNIFORM = 1;
export const BUCKET_LIST = 2;
export const BUCKET_TREE = 3;
export const BUCKET_STRAW = 4;
export const BUCKET_STRAW2 = 5;
export type BucketAlgorithm = 1 | 2 | 3 | 4 | 5;

export interface CrushRule {
  /** As 1 replicated, 3 erasure-coded pools are numbered; 4 and 5 are rules with multi-step retries. */
  readonly type: number;
  /** Until Ceph 16 what pools name, and the pool sizes the rule is for. */
  readonly ruleset: number;
  readonly leastSize: number;
  readonly greatestSize: number;
  readonly steps: readonly RuleStep[];
}

export interface RuleStep {
  readonly op: number;
  readonly arg1: number;
  readonly arg2: number;
}

export const STEP_TAKE = 1;
export const STEP_CHOOSE_FIRSTN = 2;
export const STEP_CHOOSE_INDEP = 3;
export const STEP_EMIT = 4;
export const STEP_CHOOSELEAF_FIRSTN = 6;
export const STEP_CHOOSELEAF_INDEP = 7;
export const STEP_SET_CHOOSE_TRIES = 8;
export const STEP_SET_CHOOSELEAF_TRIES = 9;
export const STEP_SET_CHOOSE_LOCAL_TRIES = 10;
export const STEP_SET_CHOOSE_LOCAL_FALLBACK_TRIES = 11;
export const STEP_SET_CHOOSELEAF_VARY_R = 12;
export const STEP_SET_CHOOSELEAF_STABLE = 13;
export const STEP_SET_MSR_DESCENTS = 14;
export const STEP_SET_MSR_COLLISION_TRIES = 15;
export const STEP_CHOOSE_MSR = 16;

/** Rules that retry several steps together (doc/dev/crush-msr.rst), from Ceph 19 on. */
export const RULE_TYPE_MSR_FIRSTN = 4;
export const RULE_TYPE_MSR_INDEP = 5;

export interface CrushTunables {
  chooseLocalTries: number;
  chooseLocalFallbackTries: number;
  chooseTotalTries: number;
  chooseleafDescendOnce: boolean;
  chooseleafVaryR: number;
  chooseleafStable: boolean;
  msrDescents: number;
  msrCollisionTries: number;
}

/** By bucket index (-1 - id). */
export type ChooseArgs = ReadonlyMap<number, ChooseArg>;

/** Replacements for a straw2 bucket's own weights and, as input of the hash, its ids. */
export interface ChooseArg {
  /** Per position in the result; later positions use the last. Empty: the bucket's own. */
  readonly weightSets: readonly Uint32Array[];
  /** Undefined: the bucket's own. */
  readonly ids: Int32Array | undefined;
}

export const defaultChooseArgs = -1;

/** Names for people; placement needs none of them. */
export interface CrushNames {
  readonly types: ReadonlyMap<number, string>;
  /** Names of devices and buckets. */
  readonly items: ReadonlyMap<number, string>;
  readonly rules: ReadonlyMap<number, string>;
  /** Device class (ssd, hdd, ...) by device id. */
  readonly deviceClasses: ReadonlyMap<number, string>;
}

/** A position that no device was found for, in results of fixed positions. */
export const ITEM_NONE = 0x7fffffff;
