import { Reader } from "@siphon/wire";
import {
  BUCKET_LIST,
  BUCKET_STRAW,
  BUCKET_STRAW2,
  BUCKET_TREE,
  BUCKET_UNIFORM,
  type BucketAlgorithm,
  type ChooseArg,
  type ChooseArgs,
  type CrushBucket,
  type CrushMap,
  type CrushRule,
  type CrushTunables,
} from "./map.ts";

/**
 * The encoding of CrushWrapper::encode (src/crush/CrushWrapper.cc). It has no version: each release appended to
 * it, and a reader stops where the bytes end.
 *
 *     u32 magic, i32 max_buckets, u32 max_rules, i32 max_devices
 *     max_buckets × bucket, max_rules × rule
 *     maps i32 -> string: types, items, rules
 *     u32 local tries, u32 local fallback tries, u32 total tries
 *     u32 descend once | u8 vary_r | u8 straw_calc, u32 allowed algorithms | u8 stable
 *     maps: device -> class, class -> name, bucket -> class -> shadow bucket
 *     choose_args | u32 msr descents, u32 msr collision tries
 */
export function decodeCrushMap(bytes: Uint8Array): CrushMap {
  const r = new Reader(bytes, "CRUSH map");
  const magic = r.u32();
  if (magic !== 0x10000) throw r.malformed(`it begins with 0x${magic.toString(16)}`);
  const maxBuckets = r.i32();
  const maxRules = r.u32();
  // The limit of device ids follows from the buckets.
  r.skip(4);
  if (maxBuckets < 0 || maxBuckets * 4 > r.remaining || maxRules * 4 > r.remaining) {
    throw r.malformed(`${maxBuckets} buckets and ${maxRules} rules`);
  }
  const buckets: (CrushBucket | undefined)[] = [];
  for (let index = 0; index < maxBuckets; index++) buckets.push(readBucket(r, index));
  refuseCycles(r, buckets);
  const rules: (CrushRule | undefined)[] = [];
  for (let id = 0; id < maxRules; id++) rules.push(readRule(r));

  const types = readNames(r);
  const items = readNames(r);
  const ruleNames = readNames(r);
  const tunables = readTunables(r);
  const deviceClasses = readDeviceClasses(r);
  const chooseArgs = r.remaining > 0 ? readChooseArgs(r, buckets) : new Map<number, ChooseArgs>();
  if (r.remaining > 0) {
    tunables.msrDescents = r.u32();
    tunables.msrCollisionTries = r.u32();
  }
  const names = { types, items, rules: ruleNames, deviceClasses };
  return { buckets, rules, maxDevices: deviceLimit(buckets), tunables, chooseArgs, names };
}

/**
 *     u32 algorithm (0: no such bucket)
 *     i32 id, u16 type, u8 algorithm, u8 hash, u32 weight, u32 size, size × i32 item
 *     uniform: u32 weight of each    list: size × (u32 weight, u32 sum)    tree: u8 nodes, nodes × u32 weight
 *     straw: size × (u32 weight, u32 straw)    straw2: size × u32 weight
 */
function readBucket(r: Reader, index: number): CrushBucket | undefined {
  const algorithm = r.u32();
  if (algorithm === 0) return undefined;
  const id = r.i32();
  const type = r.u16();
  const repeated = r.u8();
  const hash = r.u8();
  if (id !== -1 - index || type === 0 || repeated !== algorithm || hash !== 0) {
    throw r.malformed(`bucket ${id} of type ${type}, algorithm ${algorithm}, hash ${hash} at index ${index}`);
  }
  const weight = r.u32();
  const size = r.count(4);
  const items = new Int32Array(size);
  for (let i = 0; i < size; i++) items[i] = r.i32();
  const [weights, extra] = readWeights(r, algorithm, size);
  return {
    id,
    type,
    algorithm: algorithm as BucketAlgorithm,
    weight,
    size,
    items,
    weights,
    extra,
  };
}

function readWeights(r: Reader, algorithm: number, size: number): [Uint32Array, Uint32Array] {
  switch (algorithm) {
    case BUCKET_UNIFORM:
      return [Uint32Array.of(r.u32()), none];
    case BUCKET_STRAW2:
      return [readU32s(r, size), none];
    case BUCKET_TREE: {
      const nodes = r.u8();
      if (size > 0 && (nodes < 2 || (nodes & (nodes - 1)) !== 0 || size > nodes / 2)) {
        throw r.malformed(`a tree of ${nodes} nodes over ${size} items`);
      }
      return [none, readU32s(r, nodes)];
    }
    case BUCKET_LIST:
    case BUCKET_STRAW: {
      const pairs = readU32s(r, 2 * size);
      return [pairs.filter((_, i) => i % 2 === 0), pairs.filter((_, i) => i % 2 === 1)];
    }
    default:
      throw r.malformed(`a bucket of algorithm ${algorithm}`);
  }
}

const none = new Uint32Array(0);

/** u32 present; u32 length, u8 ruleset, u8 type, u8 least size, u8 greatest size, steps of 3 × u32. */
function readRule(r: Reader): CrushRule | undefined {
  if (r.u32() === 0) return undefined;
  const length = r.u32();
  const ruleset = r.u8();
  const type = r.u8();
  const leastSize = r.u8();
  const greatestSize = r.u8();
  if (length * 12 > r.remaining) throw r.malformed(`a rule of ${length} steps`);
  const steps = Array.from({ length }, () => ({ op: r.u32(), arg1: r.i32(), arg2: r.i32() }));
  return { type, ruleset, leastSize, greatestSize, steps };
}

/** A map i32 -> string; very old maps have 64-bit keys, whose upper half reads as an empty name. */
function readNames(r: Reader): Map<number, string> {
  return r.map(
    8,
    () => r.i32(),
    () => {
      const length = r.u32();
      return r.raw(length === 0 ? r.u32() : length).toString();
    },
  );
}

function readTunables(r: Reader): CrushTunables {
  const tunables: CrushTunables = {
    chooseLocalTries: 2,
    chooseLocalFallbackTries: 5,
    chooseTotalTries: 19,
    chooseleafDescendOnce: false,
    chooseleafVaryR: 0,
    chooseleafStable: false,
    msrDescents: 100,
    msrCollisionTries: 100,
  };
  if (r.remaining === 0) return tunables;
  tunables.chooseLocalTries = r.u32();
  tunables.chooseLocalFallbackTries = r.u32();
  tunables.chooseTotalTries = r.u32();
  if (r.remaining > 0) tunables.chooseleafDescendOnce = r.u32() !== 0;
  if (r.remaining > 0) tunables.chooseleafVaryR = r.u8();
  // How straws are computed and which algorithms new buckets may have concerns only who edits the map.
  if (r.remaining > 0) r.skip(1);
  if (r.remaining > 0) r.skip(4);
  if (r.remaining > 0) tunables.chooseleafStable = r.bool();
  return tunables;
}

function readDeviceClasses(r: Reader): Map<number, string> {
  const classes = new Map<number, string>();
  if (r.remaining === 0) return classes;
  const classOf = r.map(
    8,
    () => r.i32(),
    () => r.i32(),
  );
  const className = r.map(
    8,
    () => r.i32(),
    () => r.string(),
  );
  // Which shadow bucket stands for a bucket's devices of a class: rules name the shadow buckets themselves.
  for (let buckets = r.count(8); buckets > 0; buckets--) {
    r.skip(4);
    r.skip(8 * r.count(8));
  }
  for (const [device, id] of classOf) {
    const name = className.get(id);
    if (name !== undefined) classes.set(device, name);
  }
  return classes;
}

/** u32 count of { i64 pool, u32 count of { u32 bucket index, list of weight sets, list of i32 ids } } */
function readChooseArgs(r: Reader, buckets: readonly (CrushBucket | undefined)[]): Map<number, ChooseArgs> {
  return r.map(
    12,
    () => r.i64Number(),
    () => {
      const args = new Map<number, ChooseArg>();
      for (let left = r.count(12); left > 0; left--) {
        const index = r.u32();
        const weightSets = r.list(4, () => readU32s(r, r.count(4)));
        const ids = new Int32Array(readU32s(r, r.count(4)));
        if (ids.length > 0 && ids.length !== buckets[index]?.size) {
          throw r.malformed(`${ids.length} replacement ids for bucket ${-1 - index}`);
        }
        args.set(index, { weightSets, ids: ids.length === 0 ? undefined : ids });
      }
      return args;
    },
  );
}

function readU32s(r: Reader, length: number): Uint32Array {
  if (length * 4 > r.remaining) throw r.malformed(`${length} numbers in ${r.remaining} bytes`);
  const values = new Uint32Array(length);
  for (let i = 0; i < length; i++) values[i] = r.u32();
  return values;
}

function deviceLimit(buckets: readonly (CrushBucket | undefined)[]): number {
  let limit = 0;
  for (const bucket of buckets) for (const item of bucket?.items ?? []) limit = Math.max(limit, item + 1);
  return limit;
}

/** A bucket below itself would make every descent through it endless. */
function refuseCycles(r: Reader, buckets: readonly (CrushBucket | undefined)[]): void {
  const unvisited = 0;
  const underway = 1;
  const done = 2;
  const state = new Uint8Array(buckets.length);
  const path: { index: number; next: number }[] = [];
  for (let root = 0; root < buckets.length; root++) {
    if (state[root] !== unvisited) continue;
    state[root] = underway;
    path.push({ index: root, next: 0 });
    while (path.length > 0) {
      const top = path.at(-1)!;
      const items = buckets[top.index]?.items ?? [];
      if (top.next === items.length) {
        state[top.index] = done;
        path.pop();
        continue;
      }
      const index = -1 - items[top.next++]!;
      if (index < 0 || index >= buckets.length || state[index] === done) continue;
      if (state[index] === underway) throw r.malformed(`bucket ${-1 - index} lies below itself`);
      state[index] = underway;
      path.push({ index, next: 0 });
    }
  }
}
