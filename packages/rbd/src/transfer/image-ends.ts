import type { ParallelLimits } from "./in-order.ts";

/** A part of an image that changed between two states, or all that was ever written. */
export interface DiffExtent {
  readonly offset: number;
  readonly length: number;
  /** Whether there may be data; else the bytes are zeros. */
  readonly exists: boolean;
}

/** The source of a transfer; nothing here takes the image's lock. */
export interface ImageReader {
  /** Size of the state that is read, in bytes. */
  readonly size: number;
  /**
   * Bytes of the image, `length` of them: in a buffer that is the caller's from then on.
   *
   * @param into memory of the caller's to put them into, if it likes: at least as long
   */
  read(offset: number, length: number, into?: Buffer): Promise<Buffer>;
}

/** An image's state, and what differs in it from an earlier one. */
export interface DiffSource extends ImageReader {
  /**
   * Extents that do not overlap, in any order, none longer than can be held in memory; from `start` on only those that end
   * after it, and with an `end` only what lies before it.
   */
  extents(start?: number, end?: number): AsyncIterable<DiffExtent>;
}

/** The destination of a transfer. */
export interface ImageWriter {
  readonly size: number;
  resize(size: number): Promise<void>;
  /** Not changed by the caller until it settles. */
  write(offset: number, bytes: Buffer): Promise<void>;
  writeZeroes(offset: number, length: number): Promise<void>;
  /** All that was written lasts when it is done. */
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
  /** Bytes of the image that are done, of all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Bytes carried between two cursors, by default: each costs a wait for all that is under way, and a flush. */
export const defaultCursorBytes = 256 * 1024 * 1024;
