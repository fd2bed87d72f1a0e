import type { ImageWriter } from "./image-ends.ts";
import { defaultSparseSize, sparseRuns } from "./sparse.ts";

export interface SparseWriteOptions {
  /** Bytes examined together in the search for zeros; 0: none is made. */
  readonly sparseSize?: number | undefined;
  /** Skips zeros, because the target is all zeros there. */
  readonly leaveOut?: boolean;
}

/** Writes bytes at an offset of the image, zeros as zeros. When it settles, the bytes are no longer used. */
export async function writeSparsely(
  target: ImageWriter,
  offset: number,
  bytes: Buffer,
  { sparseSize = defaultSparseSize, leaveOut = false }: SparseWriteOptions = {},
): Promise<void> {
  const writes: Promise<void>[] = [];
  for (const { start, end, isZero } of sparseRuns(bytes, sparseSize)) {
    if (!isZero) writes.push(target.write(offset + start, bytes.subarray(start, end)));
    else if (!leaveOut) writes.push(target.writeZeroes(offset + start, end - start));
  }
  await allDone(writes);
}

/** Waits for all of them, even if one has failed. */
async function allDone(promises: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(promises);
  await Promise.all(promises);
}
