import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

/**
 * Opens a file that a process names. It may belong to another user, so only a regular file is opened: a FIFO would
 * block, and a device could be endless.
 *
 * @throws Error with the reason
 */
export async function openNamed(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    if (!(await file.stat()).isFile()) throw new Error(`${path} is not a regular file`);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Reads a text of at most 1 MiB; throws as `openNamed`. */
export async function readNamed(path: string): Promise<string> {
  await using file = await openNamed(path);
  const bytes = Buffer.alloc(longest + 1);
  let length = 0;
  for (let got = -1; got !== 0 && length < bytes.length; length += got) {
    ({ bytesRead: got } = await file.read(bytes, length, bytes.length - length, length));
  }
  if (length > longest) throw new Error(`${path} has more than ${longest} bytes`);
  return bytes.toString("utf8", 0, length);
}

const longest = 1 << 20;
