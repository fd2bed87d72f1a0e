import type { DiffSource, ImageReader, ImageWriter, TransferOptions } from "../transfer/image-ends.ts";
import { Parallel } from "../transfer/in-order.ts";
import { defaultSparseSize, sparseRuns } from "../transfer/sparse.ts";

/** Bytes that are read and written at once. */
const pieceBytes = 4 * 1024 * 1024;

/** Writes what differs in the source to the target, zeros as zeros. */
export async function copyChanges(
  source: DiffSource,
  target: ImageWriter,
  { signal, limits, onProgress }: TransferOptions = {},
): Promise<void> {
  await using copies = new Parallel(limits);
  for await (const { offset, length, exists } of source.extents()) {
    signal?.throwIfAborted();
    if (!exists) {
      await copies.start(0, () => target.writeZeroes(offset, length));
      continue;
    }
    for (let at = offset; at < offset + length; at += pieceBytes) {
      const bytes = Math.min(pieceBytes, offset + length - at);
      await copies.start(bytes, () => copyRange(source, target, at, bytes));
    }
    onProgress?.(offset + length, source.size);
  }
  await copies.finish();
  await target.flush();
  onProgress?.(source.size, source.size);
}

/** Every byte of the range is written: what the target showed there is gone. */
export async function copyRange(
  source: Pick<ImageReader, "read">,
  target: ImageWriter,
  offset: number,
  length: number,
): Promise<void> {
  const bytes = await source.read(offset, length);
  for (const { start, end, isZero } of sparseRuns(bytes, defaultSparseSize)) {
    if (isZero) await target.writeZeroes(offset + start, end - start);
    else await target.write(offset + start, bytes.subarray(start, end));
  }
}
