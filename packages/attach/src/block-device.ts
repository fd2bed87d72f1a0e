import type { ImageRequest } from "@siphon/rbd/engine";

/**
 * The disk that the servers serve, such as an open RBD image. Requests lie within the device; the guest's server checks
 * this first.
 */
export interface BlockDevice {
  /** In bytes; `onResize` reports changes. */
  readonly size: number;
  readonly readOnly: boolean;
  /** Whether an acknowledged write may be lost until a flush is done: with a cache that writes back. */
  readonly volatile: boolean;
  /** Preferred size of a write in bytes, as shown to the guest: the object size. */
  readonly optimalIoSize: number;
  /**
   * Bytes, a power of two: a smaller write reads the rest of the block first. Undefined: any size is written directly.
   */
  readonly writeUnit?: number | undefined;
  /** Writing zeros takes as long as writing other bytes. */
  readonly writesZerosAsData?: boolean | undefined;
  read(request: ImageRequest): void;
  write(request: ImageRequest): void;
  /** Makes everything that was acknowledged before the request durable. */
  flush(request: ImageRequest): void;
  /** Frees the bytes; later reads return zeros or the old data. */
  discard(request: ImageRequest): void;
  /** Later reads of the bytes return zeros. */
  writeZeroes(request: ImageRequest): void;
  onResize(listener: (size: number) => void): Disposable;
}
