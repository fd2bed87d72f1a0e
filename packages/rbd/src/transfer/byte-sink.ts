import type { FileHandle } from "node:fs/promises";
import type { Writable } from "node:stream";

/** Destination of a stream of bytes. */
export interface ByteSink {
  /** Takes bytes, which must not change until `finish`; settles when it accepts more. */
  write(bytes: Uint8Array): void | Promise<void>;
  /** Settles when all bytes are written. */
  finish(): Promise<void>;
}

/** Bytes gathered per write, so that many small records need few calls. */
const gatheredBytes = 1024 * 1024;
/** IOV_MAX of Linux. */
const gatheredParts = 1024;

/** A sink that gathers bytes and writes them in lists. */
class GatheringSink implements ByteSink {
  readonly #pass: (parts: Uint8Array[], bytes: number) => Promise<void>;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  constructor(pass: (parts: Uint8Array[], bytes: number) => Promise<void>) {
    this.#pass = pass;
  }

  write(bytes: Uint8Array): void | Promise<void> {
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes >= gatheredBytes || this.#parts.length === gatheredParts) return this.finish();
  }

  async finish(): Promise<void> {
    const [parts, bytes] = [this.#parts, this.#bytes];
    this.#parts = [];
    this.#bytes = 0;
    if (bytes > 0) await this.#pass(parts, bytes);
  }
}

/** Appends to a file at its current position. */
export function fileSink(file: FileHandle): ByteSink {
  return new GatheringSink(async (parts, bytes) => {
    const { bytesWritten } = await file.writev(parts);
    if (bytesWritten === bytes) return;
    const rest = Buffer.concat(parts).subarray(bytesWritten);
    for (let at = 0; at < rest.length; ) at += (await file.write(rest, at)).bytesWritten;
  });
}

/** Writes to a stream (standard output, a socket) as fast as it accepts them; the stream stays open. */
export function streamSink(stream: Writable): ByteSink {
  return new GatheringSink((parts) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    stream.once("error", reject);
    stream.cork();
    for (const part of parts.slice(0, -1)) stream.write(part);
    stream.write(parts.at(-1), (error) => {
      stream.off("error", reject);
      if (error) reject(error);
      else resolve();
    });
    stream.uncork();
    return promise;
  });
}
