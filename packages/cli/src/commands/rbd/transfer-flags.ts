import { createReadStream, type Stats } from "node:fs";
import { type FileHandle, open, rm, stat } from "node:fs/promises";
import { type ByteSink, ByteSource, FileSource, fileSink, ProgressMeter, streamSink } from "@siphon/rbd";
import { SiphonError } from "@siphon/wire";
import { bytesText } from "../rados/format.ts";
import { badOption, parseBytes, usage } from "./image-spec.ts";
import { type ProgressFlags, withProgress } from "./output.ts";

/** Bytes per read from a pipe or a device. */
const readBytes = 1024 * 1024;

/** Whether the path is a regular file, which allows random access: no pipe, no device, not standard input. */
export async function isFile(path: string): Promise<boolean> {
  return path !== "-" && (await statPath(path)).isFile();
}

/** @throws SiphonError ENOENT, EACCES and the like */
export async function statPath(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (error) {
    const { code = "EIO" } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such file" : code;
    throw new SiphonError(code, `cannot read ${path}: ${why}`, { cause: error });
  }
}

/** The content of a file, or of standard input for `-`, in order. */
export function readPath(path: string): AsyncIterable<Buffer> {
  return path === "-" ? process.stdin : fileChunks(path);
}

/** Opens the file when the consumer reads first, so that errors reach the consumer and never go unhandled. */
async function* fileChunks(path: string): AsyncGenerator<Buffer> {
  yield* createReadStream(path, { highWaterMark: readBytes });
}

/** The same content as a source that is read in pieces of a requested length. */
export async function openPath(path: string): Promise<ByteSource> {
  return (await isFile(path)) ? FileSource.open(path) : new ByteSource(readPath(path), path);
}

/** Writes a new file, or to standard output for `-`. If anything fails, the file is removed again. */
export async function writePath(
  path: string,
  toSink: (sink: ByteSink) => Promise<void>,
  toFile: (file: FileHandle) => Promise<void> = (file) => toSink(fileSink(file)),
): Promise<void> {
  if (path === "-") return toSink(streamSink(process.stdout));
  await newFile(path, async () => {
    await using file = await open(path, "wx", 0o644);
    try {
      await toFile(file);
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  });
}

/** Adds advice to the error of a file that already exists. */
export async function newFile(path: string, make: () => Promise<void>): Promise<void> {
  try {
    await make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST" || error instanceof SiphonError) throw error;
    throw new SiphonError("EEXIST", `${path} is there already`, {
      hint: "remove it, or give another path",
    });
  }
}

/** `withProgress` for bytes: on a terminal, also shows the rate and the time left. */
export function withTransferProgress(
  title: string,
  flags: ProgressFlags,
  action: (onProgress: (done: number, total: number) => void) => Promise<void>,
): Promise<void> {
  const isWatched = process.stderr.isTTY && flags.progress;
  const meter = new ProgressMeter();
  let shownAt = 0;
  return withProgress(title, flags, (onProgress) =>
    action((done, total) => {
      // Like rbd, show nothing before the first percent.
      if (100 * done >= total) onProgress(done, total);
      const { bytesPerSecond, secondsLeft } = meter.update(done, total);
      if (!isWatched || bytesPerSecond === undefined || performance.now() - shownAt < 200) return;
      shownAt = performance.now();
      const rate = `${bytesText(bytesPerSecond)}/s, ${Math.ceil(secondsLeft ?? 0)} s left`;
      process.stderr.write(`\x1b7 ${rate}\x1b[K\x1b8`);
    }),
  );
}

/** The value of `--export-format`. */
export function exportFormat(text: string): 1 | 2 {
  if (text === "1" || text === "2") return text === "1" ? 1 : 2;
  throw badOption(`there is no export format ${text}: 1 or 2`);
}

/** The value of `--sparse-size`: at most 32 MiB. */
export function sparseSize(text: string): number {
  const bytes = parseBytes(text, "B");
  if (bytes >= 1 && bytes <= 32 * 1024 * 1024) return bytes;
  throw usage(`a sparse size is at most 32M, and not ${text}`);
}
