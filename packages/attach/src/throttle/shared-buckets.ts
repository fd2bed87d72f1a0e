import { limitNames } from "./disk-limits.ts";
import { SpinLock } from "./spin-lock.ts";
import { LimitBuckets, TokenBucket } from "./token-bucket.ts";

/** Shared memory for the buckets of a disk's limits: several threads use the same tokens. */
export function sharedBucketMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(lockBytes + limitNames.length * 2 * TokenBucket.size * 8);
}

export function sharedBuckets(memory: SharedArrayBuffer): LimitBuckets[] {
  const lock = new SpinLock(new Int32Array(memory, 0, 1));
  const state = (index: number) =>
    new Float64Array(memory, lockBytes + index * TokenBucket.size * 8, TokenBucket.size);
  return limitNames.map(
    (_, index) => new LimitBuckets({ average: state(2 * index), peak: state(2 * index + 1), lock }),
  );
}

/** Milliseconds of a clock common to all threads, unlike `performance.now()`. */
export function sharedNow(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

const lockBytes = 8;
