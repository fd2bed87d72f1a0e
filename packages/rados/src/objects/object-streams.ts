import type { ObjectOptions } from "./object-options.ts";
import type { Pool } from "./pool.ts";

export interface StreamOptions extends Pick<ObjectOptions, "signal" | "snapId" | "key"> {
  /** Bytes of each request; default 4 MiB. */
  chunkBytes?: number;
  /** Maximum requests in flight; with the chunk size it bounds memory. Default 4. */
  depth?: number;
}

/**
 * The bytes of an object in chunks, with read-ahead. A concurrent change may mix old and new data, because each chunk
 * is a separate read.
 */
export async function* readObject(
  pool: Pool,
  object: string,
  { chunkBytes = defaultChunk, depth = defaultDepth, ...options }: StreamOptions = {},
): AsyncGenerator<Buffer, void, undefined> {
  const ahead: Promise<Buffer>[] = [];
  let offset = 0;
  const ask = () => {
    const chunk = pool.read(object, { offset, length: chunkBytes, ...options });
    // It is awaited later, or not at all.
    chunk.catch(() => {});
    ahead.push(chunk);
    offset += chunkBytes;
  };
  // Most objects end within the first chunk.
  ask();
  for (;;) {
    const chunk = await ahead.shift()!;
    if (chunk.length > 0) yield chunk;
    if (chunk.length < chunkBytes) break;
    while (ahead.length < depth) ask();
  }
  await Promise.allSettled(ahead);
}

/**
 * Writes a stream from `offset`; at 0 it replaces the object. An empty source makes an object of `offset` bytes.
 *
 * @returns number of bytes written
 */
export async function writeObject(
  pool: Pool,
  object: string,
  source: AsyncIterable<Uint8Array>,
  {
    offset = 0,
    chunkBytes = defaultChunk,
    depth = defaultDepth,
    ...options
  }: Omit<StreamOptions, "snapId"> & { offset?: number } = {},
): Promise<number> {
  const underWay = new Set<Promise<void>>();
  let written = 0;
  for await (const chunk of chunksOf(source, chunkBytes)) {
    // The first write replaces the object, so later ones must wait for it.
    if (offset === 0 && written === 0) await pool.writeFull(object, chunk, options);
    else {
      const write = pool.write(object, offset + written, chunk, options);
      const done = write.finally(() => underWay.delete(done));
      done.catch(() => {});
      underWay.add(done);
      if (underWay.size >= depth) await Promise.race(underWay);
    }
    written += chunk.length;
  }
  await Promise.all(underWay);
  if (written === 0) {
    await pool.writeFull(object, new Uint8Array(), options);
    if (offset > 0) await pool.truncate(object, offset, options);
  }
  return written;
}

/** Appends a stream to an object. Returns the number of bytes. */
export async function appendToObject(
  pool: Pool,
  object: string,
  source: AsyncIterable<Uint8Array>,
  { chunkBytes = defaultChunk, ...options }: Omit<StreamOptions, "snapId" | "depth"> = {},
): Promise<number> {
  let appended = 0;
  for await (const chunk of chunksOf(source, chunkBytes)) {
    await pool.append(object, chunk, options);
    appended += chunk.length;
  }
  return appended;
}

const defaultChunk = 4 << 20;
const defaultDepth = 4;

/** The same bytes in chunks of equal size, except the last; each has its own memory. */
async function* chunksOf(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Buffer> {
  let chunk = Buffer.allocUnsafe(size);
  let filled = 0;
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; ) {
      const part = Math.min(bytes.length - at, size - filled);
      chunk.set(bytes.subarray(at, at + part), filled);
      at += part;
      filled += part;
      if (filled < size) continue;
      yield chunk;
      chunk = Buffer.allocUnsafe(size);
      filled = 0;
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}
