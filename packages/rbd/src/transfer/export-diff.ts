import { isZeros } from "../zeros.ts";
import type { ByteSink } from "./byte-sink.ts";
import type { DiffFormat, DiffHeader } from "./diff-format.ts";
import { DiffWriter } from "./diff-writer.ts";
import { type DiffExtent, type DiffSource, defaultCursorBytes, type TransferOptions } from "./image-ends.ts";
import { inOrder } from "./in-order.ts";
import { SpareBuffers } from "./spare-buffers.ts";

/** A position from which an interrupted export can continue: everything before it is in the stream. */
export interface ExportCursor {
  /** Bytes of the stream to keep. */
  readonly position: number;
  /** Offset in the image up to which its extents are in the stream. */
  readonly image: number;
}

export interface ExportDiffOptions extends TransferOptions {
  readonly format?: DiffFormat;
  /**
   * Continues after the cursor: the sink appends to the stream's first `position` bytes. Only for a source with
   * ascending extents.
   */
  readonly resume?: ExportCursor | undefined;
  /** Called now and then, when everything before the cursor has passed the sink. */
  readonly onCursor?: ((cursor: ExportCursor) => void) | undefined;
  /** Bytes of the stream between two cursors. */
  readonly cursorBytes?: number;
}

/**
 * Writes the changes of an image as a diff, as `rbd export-diff` does: one record per extent, with all-zero data as
 * zeros. Reads run in parallel; records keep the order of the source's extents.
 */
export async function exportDiff(
  source: DiffSource,
  names: Omit<DiffHeader, "size">,
  sink: ByteSink,
  options: ExportDiffOptions = {},
): Promise<void> {
  const {
    format = 1,
    resume,
    signal,
    limits,
    onProgress,
    onCursor,
    cursorBytes = defaultCursorBytes,
  } = options;
  const writer = new DiffWriter(sink, format, resume?.position);
  if (resume === undefined) await writer.header({ ...names, size: source.size });

  let lastCursor = writer.position;
  const buffers = new SpareBuffers();
  /** The sink may still use them. */
  let written: Buffer[] = [];
  let writtenBytes = 0;
  const read = async (extent: DiffExtent) => {
    signal?.throwIfAborted();
    const { offset, length, exists } = extent;
    if (!exists) return { extent };
    const buffer = buffers.take(length);
    const data = await source.read(offset, length, buffer);
    if (!isZeros(data)) return { extent, data, buffer };
    buffers.give(buffer);
    return { extent };
  };
  const finish = async () => {
    await sink.finish();
    for (const buffer of written) buffers.give(buffer);
    written = [];
    writtenBytes = 0;
  };
  const weigh = (extent: DiffExtent) => (extent.exists ? extent.length : 0);
  for await (const { extent, data, buffer } of inOrder(source.extents(resume?.image), read, weigh, limits)) {
    if (data === undefined) {
      await writer.zero(extent.offset, extent.length);
    } else {
      await writer.write(extent.offset, extent.length);
      await writer.data(data);
      written.push(buffer);
      writtenBytes += data.length;
      if (writtenBytes >= gatheredBytes || written.length >= gatheredExtents) await finish();
    }
    const image = extent.offset + extent.length;
    onProgress?.(extent.offset, source.size);
    if (onCursor !== undefined && writer.position - lastCursor >= cursorBytes) {
      await finish();
      lastCursor = writer.position;
      onCursor({ position: lastCursor, image });
    }
  }
  await writer.end();
  await sink.finish();
}

/** Bytes given to the sink before a `finish`. */
const gatheredBytes = 1024 * 1024;
const gatheredExtents = 256;
