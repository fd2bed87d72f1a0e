import { closeSync, fstatSync, ftruncateSync, openSync, read, write } from "node:fs";
import type { ImageRequest } from "@siphon/rbd/engine";
import type { BlockDevice } from "../../../attach/src/block-device.ts";

/** A disk in a file, which outlives the process that serves it. */
export class FileDevice implements BlockDevice, Disposable {
  readonly readOnly = false;
  readonly volatile = true;
  readonly optimalIoSize = 4 << 20;
  readonly #fd: number;
  readonly #listeners = new Set<(size: number) => void>();

  constructor(path: string) {
    this.#fd = openSync(path, "r+");
  }

  get size(): number {
    return fstatSync(this.#fd).size;
  }

  read(request: ImageRequest): void {
    const bytes = Buffer.allocUnsafe(request.length);
    read(this.#fd, bytes, 0, bytes.length, request.offset, (error) => {
      if (error === null) request.take(bytes, 0, bytes.length, 0);
      finish(request, error);
    });
  }

  write(request: ImageRequest): void {
    const bytes = Buffer.allocUnsafe(request.length);
    request.fill(bytes, 0, 0, bytes.length);
    write(this.#fd, bytes, 0, bytes.length, request.offset, (error) => finish(request, error));
  }

  /** Writes are visible to other processes at once. */
  flush(request: ImageRequest): void {
    setImmediate(finish, request, null);
  }

  discard(request: ImageRequest): void {
    this.writeZeroes(request);
  }

  writeZeroes(request: ImageRequest): void {
    const bytes = Buffer.alloc(request.length);
    write(this.#fd, bytes, 0, bytes.length, request.offset, (error) => finish(request, error));
  }

  onResize(listener: (size: number) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  resize(size: number): void {
    ftruncateSync(this.#fd, size);
    for (const listener of this.#listeners) listener(size);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

function finish(request: ImageRequest, error: NodeJS.ErrnoException | null): void {
  request.result = error === null ? 0 : (error.errno ?? -5);
  request.completed();
}
