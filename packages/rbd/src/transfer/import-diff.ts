import { errno } from "@siphon/wire";
import type { DiffCursor, DiffReader } from "./diff-reader.ts";
import { type DiffTarget, defaultCursorBytes, type ImageWriter, type TransferOptions } from "./image-ends.ts";
import { Parallel } from "./in-order.ts";
import { SpareBuffers } from "./spare-buffers.ts";
import { defaultSparseSize } from "./sparse.ts";
import { TransferError } from "./transfer-error.ts";
import { writeSparsely } from "./write-sparsely.ts";

export interface ImportDiffOptions extends TransferOptions {
  /** Bytes examined together in the search for zeros; 0: none is made. */
  readonly sparseSize?: number;
  /** Called periodically: everything before the cursor is durable, so the import can continue from there. */
  readonly onCursor?: ((cursor: DiffCursor) => void) | undefined;
  /** Bytes written between two cursors. */
  readonly cursorBytes?: number;
}

/**
 * Applies a diff to an image and then takes the snapshot that it leads to, as `rbd import-diff` does. Writes can be
 * repeated, so an interrupted diff is applied again, from its start or a cursor.
 *
 * @throws TransferError SIPHON_TRANSFER_MISMATCH if the image lacks the diff's start snapshot, or already has its end
 * snapshot
 */
export async function importDiff(
  reader: DiffReader,
  target: DiffTarget,
  options: ImportDiffOptions = {},
): Promise<void> {
  const { from, to, isProtected = false } = reader.header;
  if (from !== undefined && !(await target.hasSnapshot(from))) {
    throw new TransferError(
      "SIPHON_TRANSFER_MISMATCH",
      `the diff starts from snapshot ${from}, which the image does not have`,
      { hint: "apply the diff that leads to that snapshot first" },
    );
  }
  if (to !== undefined && (await target.hasSnapshot(to))) {
    throw new TransferError(
      "SIPHON_TRANSFER_MISMATCH",
      `the diff leads to snapshot ${to}, which the image already has`,
      { errno: -errno.EEXIST, hint: "the diff was already applied, or the image is a different one" },
    );
  }
  await applyDiff(reader, target, options);
  if (to !== undefined && to !== "") await target.createSnapshot(to, isProtected);
}

/** Applies a diff to an image without checking snapshots. */
export async function applyDiff(
  reader: DiffReader,
  target: ImageWriter,
  options: ImportDiffOptions = {},
): Promise<void> {
  const {
    signal,
    limits,
    onProgress,
    onCursor,
    cursorBytes = defaultCursorBytes,
    sparseSize = defaultSparseSize,
  } = options;
  const size = reader.header.size ?? target.size;
  if (target.size !== size) await target.resize(size);

  await using writes = new Parallel(limits);
  const largest = Math.max(pieceBytes, sparseSize);
  const buffers = new SpareBuffers();
  let sinceCursor = 0;
  for (let record = await reader.next(); record !== undefined; record = await reader.next()) {
    signal?.throwIfAborted();
    const { type, offset, length } = record;
    if (type === "zero") {
      await writes.start(0, () => target.writeZeroes(offset, length));
    } else {
      for (let at = offset; at < offset + length; at += largest) {
        await writePiece(at, Math.min(largest, offset + length - at));
      }
      sinceCursor += length;
    }
    onProgress?.(offset + length, size);
    if (onCursor !== undefined && sinceCursor >= cursorBytes) {
      const { cursor } = reader;
      await writes.finish();
      await target.flush();
      sinceCursor = 0;
      onCursor(cursor);
    }
  }
  await writes.finish();
  await target.flush();

  async function writePiece(at: number, length: number): Promise<void> {
    const bytes = buffers.take(length);
    const arrived = await reader.fillPayload(bytes);
    await writes.start(length, async () => {
      await arrived();
      await writeSparsely(target, at, bytes, { sparseSize });
      buffers.give(bytes);
    });
  }
}

/** Maximum bytes of a record per write. */
const pieceBytes = 4 * 1024 * 1024;
