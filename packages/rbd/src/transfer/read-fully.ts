import type { FileHandle } from "node:fs/promises";

/** Reads a file from `position` on until the buffer is full or the file ends; returns how many bytes it read. */
export async function readFully(file: FileHandle, into: Buffer, position: number): Promise<number> {
  let filled = 0;
  while (filled < into.length) {
    const { bytesRead } = await file.read(into, filled, into.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}
