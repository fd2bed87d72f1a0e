import { type FileHandle, open } from "node:fs/promises";
import { ByteSource } from "./byte-source.ts";
import { readFully } from "./read-fully.ts";

/** Bytes read ahead for small reads. */
const windowBytes = 64 * 1024;

/**
 * A `ByteSource` over a file. Large reads go directly into the caller's buffer, several at a time; skipped bytes are
 * not read.
 */
export class FileSource extends ByteSource {
  readonly #file: FileHandle;
  readonly #size: number;
  readonly #next: { at: number };

  private constructor(file: FileHandle, size: number, path: string, position: number) {
    const next = { at: position };
    super(windows(file, next), path, position);
    this.#file = file;
    this.#size = size;
    this.#next = next;
  }

  /** @param position offset of the first byte to read */
  static async open(path: string, position = 0): Promise<FileSource> {
    const file = await open(path);
    try {
      return new FileSource(file, (await file.stat()).size, path, position);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  override async fill(into: Buffer): Promise<() => Promise<void>> {
    const held = this.takeHeld(into.length);
    held.copy(into);
    const rest = into.subarray(held.length);
    const at = this.position;
    this.#jump(rest.length);
    return async () => {
      const bytes = await readFully(this.#file, rest, at);
      if (bytes < rest.length) throw this.truncated(rest.length - bytes, at + bytes);
    };
  }

  override async skip(length: number): Promise<void> {
    this.#jump(length - this.takeHeld(length).length);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    await this.#file.close();
  }

  /** Skips bytes after the current portion, which is used up. */
  #jump(length: number): void {
    if (length === 0) return;
    const left = Math.max(0, this.#size - this.position);
    this.passOver(Math.min(length, left));
    if (length > left) throw this.truncated(length - left);
    this.#next.at = this.position;
  }
}

async function* windows(file: FileHandle, next: { at: number }): AsyncGenerator<Buffer, void, undefined> {
  for (;;) {
    const window = Buffer.allocUnsafeSlow(windowBytes);
    const bytes = await readFully(file, window, next.at);
    next.at += bytes;
    if (bytes === 0) return;
    yield window.subarray(0, bytes);
  }
}
