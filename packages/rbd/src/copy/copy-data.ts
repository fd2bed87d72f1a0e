import type {
  DiffExtent,
  DiffSource,
  ImageReader,
  ImageWriter,
  TransferOptions,
} from "../transfer/image-ends.ts";
import { Parallel } from "../transfer/in-order.ts";
import { SpareBuffers } from "../transfer/spare-buffers.ts";
import { writeSparsely } from "../transfer/write-sparsely.ts";
import type { ObjectCopier } from "./object-copier.ts";

/** Bytes read and written at a time. */
const pieceBytes = 4 * 1024 * 1024;

export interface CopyChangesOptions extends TransferOptions {
  /** The target is all zeros so far: zeros are skipped. */
  readonly isNew?: boolean;
  /** Copies whole objects where possible; only for a new target. */
  readonly copier?: ObjectCopier | undefined;
  /** Bytes examined together in the search for zeros. */
  readonly sparseSize?: number | undefined;
}

/** Writes the differences of the source to the target, including zeros. */
export async function copyChanges(
  source: DiffSource,
  target: ImageWriter,
  { signal, limits, onProgress, isNew = false, copier, sparseSize }: CopyChangesOptions = {},
): Promise<void> {
  const buffers = new SpareBuffers();
  const copy = async ({ offset, length }: DiffExtent) => {
    if (await copier?.copy(offset, length)) return;
    await copyRange(source, target, offset, length, { buffers, leaveOut: isNew, sparseSize });
  };
  await using copies = new Parallel(limits);
  for await (const extent of source.extents()) {
    signal?.throwIfAborted();
    const { offset, length, exists } = extent;
    if (exists) await copies.start(Math.min(length, pieceBytes), () => copy(extent));
    else if (!isNew) await copies.start(0, () => target.writeZeroes(offset, length));
    onProgress?.(offset + length, source.size);
  }
  await copies.finish();
  await target.flush();
  onProgress?.(source.size, source.size);
}

/**
 * Overwrites every byte of the range.
 *
 * @param buffers buffers for the data
 * @param leaveOut skips zeros, because the target is all zeros there
 */
export async function copyRange(
  source: Pick<ImageReader, "read">,
  target: ImageWriter,
  offset: number,
  length: number,
  { buffers, ...zeros }: { buffers: SpareBuffers; leaveOut?: boolean; sparseSize?: number | undefined },
): Promise<void> {
  for (let at = offset; at < offset + length; at += pieceBytes) {
    const bytes = Math.min(pieceBytes, offset + length - at);
    const buffer = buffers.take(bytes);
    await writeSparsely(target, at, await source.read(at, bytes, buffer), zeros);
    buffers.give(buffer);
  }
}
