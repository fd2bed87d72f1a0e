import type { ImageIo, ImageRequest } from "@siphon/rbd/engine";
import type { BlockDevice } from "../block-device.ts";

/** The disk in one worker. */
export class ImageDevice implements BlockDevice {
  readonly volatile = false;
  readonly #io: ImageIo;

  constructor(io: ImageIo) {
    this.#io = io;
  }

  get size(): number {
    return this.#io.size;
  }

  get readOnly(): boolean {
    return this.#io.readOnly;
  }

  get optimalIoSize(): number {
    return this.#io.state.objectSize;
  }

  read(request: ImageRequest): void {
    this.#io.read(request);
  }

  write(request: ImageRequest): void {
    this.#io.write(request);
  }

  flush(request: ImageRequest): void {
    this.#io.flush(request);
  }

  discard(request: ImageRequest): void {
    this.#io.discard(request);
  }

  writeZeroes(request: ImageRequest): void {
    this.#io.writeZeroes(request);
  }

  /** NBD clients query the size themselves. */
  onResize(): Disposable {
    return { [Symbol.dispose]() {} };
  }
}
