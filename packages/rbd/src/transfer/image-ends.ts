import type { ParallelLimits } from "./in-order.ts";

/** A part of an image that changed between two states, or since its creation. */
export interface DiffExtent {
  readonly offset: number;
  readonly length: number;
  /** Whether it may have data; otherwise the bytes are zeros. */
  readonly exists: boolean;
}

/** The source of a transfer; nothing here takes the image's lock. */
export interface ImageReader {
  /** Size of the read state in bytes. */
  readonly size: number;
  /**
   * Reads `length` bytes into a buffer that then belongs to the caller.
   *
   * @param into optional buffer of the caller, at least as long
   */
  read(offset: number, length: number, into?: Buffer): Promise<Buffer>;
}

/** An image's state, and its changes since an earlier one. */
export interface DiffSource extends ImageReader {
  /** Disjoint extents in any order, each short enough for memory. Only extents that end after `start`, cut at `end`. */
  extents(start?: number, end?: number): AsyncIterable<DiffExtent>;
}

/** The destination of a transfer. */
export interface ImageWriter {
  readonly size: number;
  resize(size: number): Promise<void>;
  /** The caller must not change the bytes until it settles. */
  write(offset: number, bytes: Buffer): Promise<void>;
  writeZeroes(offset: number, length: number): Promise<void>;
  /** Makes all writes durable. */
  flush(): Promise<void>;
}

/** The image that a diff between snapshots is applied to. */
export interface DiffTarget extends ImageWriter {
  hasSnapshot(name: string): Promise<boolean>;
  createSnapshot(name: string, isProtected: boolean): Promise<void>;
}

/** Options of all transfers. */
export interface TransferOptions {
  readonly signal?: AbortSignal | undefined;
  readonly limits?: ParallelLimits | undefined;
  /** Bytes of the image that are done, of the total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Default number of bytes between two cursors: each costs a wait for all requests in flight, and a flush. */
export const defaultCursorBytes = 256 * 1024 * 1024;
