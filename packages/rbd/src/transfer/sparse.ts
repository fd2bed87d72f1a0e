import { isZeros } from "../zeros.ts";

/** Block size of the search for zeros, as in `rbd` by default. */
export const defaultSparseSize = 4096;

/** A part of a buffer, from `start` up to `end`, that is all zeros or data. */
export interface SparseRun {
  readonly start: number;
  readonly end: number;
  readonly isZero: boolean;
}

/**
 * Splits bytes into the longest runs of blocks that are all zeros and of blocks that are not, as `rbd import` does.
 *
 * @param sparseSize bytes of a block; 0: no search for zeros
 */
export function* sparseRuns(bytes: Buffer, sparseSize = defaultSparseSize): Generator<SparseRun> {
  if (sparseSize === 0 && bytes.length > 0) {
    yield { start: 0, end: bytes.length, isZero: false };
    return;
  }
  for (let start = 0; start < bytes.length; ) {
    let end = Math.min(start + sparseSize, bytes.length);
    const isZero = isZeros(bytes, start, end);
    while (end < bytes.length) {
      const next = Math.min(end + sparseSize, bytes.length);
      if (isZeros(bytes, end, next) !== isZero) break;
      end = next;
    }
    yield { start, end, isZero };
    start = end;
  }
}
