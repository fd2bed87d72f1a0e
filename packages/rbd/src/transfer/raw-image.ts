import type { FileHandle } from "node:fs/promises";
import { isZeros } from "../zeros.ts";
import type { ByteSink } from "./byte-sink.ts";
import type { ImageReader, ImageWriter, TransferOptions } from "./image-ends.ts";
import { inOrder, Parallel } from "./in-order.ts";
import { pieces } from "./pieces.ts";
import { readFully } from "./read-fully.ts";
import { SpareBuffers } from "./spare-buffers.ts";
import { defaultSparseSize } from "./sparse.ts";
import { TransferError } from "./transfer-error.ts";
import { writeSparsely } from "./write-sparsely.ts";

export interface RawOptions extends TransferOptions {
  /** Bytes per read or write; best a whole object, or a stripe period. */
  readonly pieceBytes?: number;
  /** Bytes, from the start, that an interrupted transfer has already copied. */
  readonly start?: number;
  /** Only what lies before it. */
  readonly end?: number;
}

/** Writes the image's data (export format 1) to a stream, sequentially. */
export async function exportRaw(
  source: ImageReader,
  sink: ByteSink,
  options: RawOptions = {},
): Promise<void> {
  const buffers = new SpareBuffers();
  for await (const { data, buffer } of readPieces(source, options, buffers)) {
    await sink.write(data);
    // Until then the sink may still use the bytes.
    await sink.finish();
    buffers.give(buffer);
  }
  await sink.finish();
}

/** Writes the image's data to a new file, with holes for zeros. */
export async function exportRawFile(
  source: ImageReader,
  file: FileHandle,
  options: RawOptions = {},
): Promise<void> {
  const buffers = new SpareBuffers();
  for await (const { offset, data, buffer } of readPieces(source, options, buffers)) {
    for (let at = isZeros(data) ? data.length : 0; at < data.length; ) {
      at += (await file.write(data, at, data.length - at, offset + at)).bytesWritten;
    }
    buffers.give(buffer);
  }
  await file.truncate(source.size);
}

export interface ImportRawOptions extends RawOptions {
  /** Bytes examined together in the search for zeros; 0: none is made. */
  readonly sparseSize?: number;
  /** Expected size of the stream, for progress; the stream may have more or less. */
  readonly expectedSize?: number;
}

/**
 * Writes a stream to an image of zeros, skipping zeros, as `rbd import` does. The image doubles whenever it is too
 * small, and gets the stream's size at the end.
 */
export async function importRaw(
  bytes: AsyncIterable<Buffer>,
  target: ImageWriter,
  options: ImportRawOptions = {},
): Promise<void> {
  const { pieceBytes = defaultPiece, sparseSize = defaultSparseSize, start = 0 } = options;
  const buffers = new SpareBuffers();
  await using writes = new Parallel(options.limits);
  let at = start;
  for await (const piece of pieces(bytes, pieceBytes, buffers)) {
    options.signal?.throwIfAborted();
    const offset = at;
    at += piece.length;
    if (at > target.size) {
      await writes.finish();
      await target.resize(Math.max(at, 2 * target.size));
    }
    await writes.start(piece.length, async () => {
      await writeSparsely(target, offset, piece, { sparseSize, leaveOut: true });
      buffers.give(piece);
    });
    options.onProgress?.(at, Math.max(at, options.expectedSize ?? target.size));
  }
  await writes.finish();
  if (at !== target.size) await target.resize(at);
  await target.flush();
}

/** As `importRaw`, from a file of known size: reads its parts on demand, several at a time. */
export async function importRawFile(
  file: FileHandle,
  target: ImageWriter,
  options: Omit<ImportRawOptions, "expectedSize"> = {},
): Promise<void> {
  const { pieceBytes = defaultPiece, sparseSize = defaultSparseSize, start = 0 } = options;
  const { size } = await file.stat();
  if (size !== target.size) await target.resize(size);
  const buffers = new SpareBuffers();
  await using writes = new Parallel(options.limits);
  const end = Math.min(size, options.end ?? size);
  for (const offset of offsets(start, end, pieceBytes)) {
    options.signal?.throwIfAborted();
    await writes.start(pieceBytes, async () => {
      const piece = buffers.take(Math.min(pieceBytes, end - offset));
      const bytes = await readFully(file, piece, offset);
      if (bytes < piece.length) throw cutOff(offset + bytes);
      await writeSparsely(target, offset, piece, { sparseSize, leaveOut: true });
      buffers.give(piece);
    });
    options.onProgress?.(offset, size);
  }
  await writes.finish();
  await target.flush();
}

function cutOff(size: number): TransferError {
  const message = `the file was truncated to ${size} bytes while it was read`;
  return new TransferError("SIPHON_TRANSFER_TRUNCATED", message);
}

const defaultPiece = 4 * 1024 * 1024;

async function* readPieces(
  source: ImageReader,
  { pieceBytes = defaultPiece, start = 0, end = source.size, limits, signal, onProgress }: RawOptions,
  buffers: SpareBuffers,
): AsyncGenerator<{ offset: number; data: Buffer; buffer: Buffer }> {
  const read = async (offset: number) => {
    signal?.throwIfAborted();
    const length = Math.min(pieceBytes, end - offset);
    const buffer = buffers.take(pieceBytes);
    return { offset, data: await source.read(offset, length, buffer), buffer };
  };
  for await (const piece of inOrder(offsets(start, end, pieceBytes), read, () => pieceBytes, limits)) {
    yield piece;
    onProgress?.(piece.offset, source.size);
  }
}

function* offsets(start: number, end: number, step: number): Generator<number> {
  for (let offset = start; offset < end; offset += step) yield offset;
}
