import type { Reader } from "@siphon/wire";

/** An object's position in the order of PGs (hobject_t in src/common/hobject.h). */
export interface ObjectPosition {
  isMax: boolean;
  pool: bigint;
  hash: number;
  namespace: Buffer;
  key: Buffer;
  name: Buffer;
  snap: bigint;
}

/** hobject_t, version 4: string key, string name, u64 snap, u32 hash, bool max, string namespace, i64 pool. */
export function readObjectPosition(r: Reader): ObjectPosition {
  return r.versioned("hobject_t", 4, (_, version) => {
    if (version < 4) throw r.malformed(`version ${version}`);
    const [key, name] = [r.blob(), r.blob()];
    const [snap, hash, isMax] = [r.u64(), r.u32(), r.bool()];
    return { key, name, snap, hash, isMax, namespace: r.blob(), pool: r.i64() };
  });
}

/** Below 0 where `a` comes first: by pool, hash with its bits reversed, namespace, key or name, name, snapshot. */
export function comparePositions(a: ObjectPosition, b: ObjectPosition): number {
  if (a.isMax || b.isMax) return Number(a.isMax) - Number(b.isMax);
  return (
    compare(a.pool, b.pool) ||
    compare(reverseBits(a.hash), reverseBits(b.hash)) ||
    Buffer.compare(a.namespace, b.namespace) ||
    Buffer.compare(effectiveKey(a), effectiveKey(b)) ||
    Buffer.compare(a.name, b.name) ||
    compare(a.snap, b.snap)
  );
}

function compare<T extends bigint | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function effectiveKey({ key, name }: ObjectPosition): Buffer {
  return key.length > 0 ? key : name;
}

/** Reverses a hash's bits, so that the objects of a PG are adjacent in the order. */
export function reverseBits(hash: number): number {
  let result = 0;
  for (let bit = 0; bit < 32; bit++) result = (result << 1) | ((hash >>> bit) & 1);
  return result >>> 0;
}
