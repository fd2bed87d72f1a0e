import type { ImageRequest } from "@siphon/rbd/engine";

/**
 * The disk that the servers serve, such as an open RBD image. Requests lie within the device: the server of a guest checks that
 * first.
 */
export interface BlockDevice {
  /** In bytes; `onResize` reports changes. */
  readonly size: number;
  readonly readOnly: boolean;
  /** Whether an acknowledged write may be lost until a flush is done: with a cache that writes back. */
  readonly volatile: boolean;
  /** Bytes that are written at best, for the guest to know: an object's. */
  readonly optimalIoSize: number;
  /** Bytes, a power of two: writes of less read the rest first. Any size does, if missing. */
  readonly writeUnit?: number | undefined;
  /** Zeros take as long as any other bytes. */
  readonly writesZerosAsData?: boolean | undefined;
  read(request: ImageRequest): void;
  write(request: ImageRequest): void;
  /** Everything acknowledged before it lasts when it is done. */
  flush(request: ImageRequest): void;
  /** The bytes need not be kept; they are read as zeros or as they were. */
  discard(request: ImageRequest): void;
  /** The bytes are read as zeros. */
  writeZeroes(request: ImageRequest): void;
  onResize(listener: (size: number) => void): Disposable;
}
