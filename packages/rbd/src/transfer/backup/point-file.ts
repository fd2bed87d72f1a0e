import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { basename, join } from "node:path";
import { type ByteSink, fileSink } from "../byte-sink.ts";
import { ByteSource } from "../byte-source.ts";
import { TransferError } from "../transfer-error.ts";
import { writeDurably } from "./durable-file.ts";
import type { BackupPoint } from "./manifest.ts";

/** Writes a point's file atomically, and returns its entry for the manifest. */
export async function writePointFile(
  path: string,
  write: (sink: ByteSink) => Promise<void>,
): Promise<Pick<BackupPoint, "bytes" | "sha256">> {
  const digest = createHash("sha256");
  let bytes = 0;
  await writeDurably(path, async (file) => {
    const sink = fileSink(file);
    await write({
      write: (part) => {
        digest.update(part);
        bytes += part.length;
        return sink.write(part);
      },
      finish: () => sink.finish(),
    });
    await sink.finish();
  });
  return { bytes, sha256: digest.digest("hex") };
}

/** A point's diff. Its last bytes are delivered only after the checksum of the whole file was verified. */
export function readPointFile(directory: string, point: BackupPoint): ByteSource {
  const path = join(directory, basename(point.file));
  return new ByteSource(checked(path, point), path);
}

async function* checked(path: string, point: BackupPoint): AsyncGenerator<Buffer, void, undefined> {
  const digest = createHash("sha256");
  let bytes = 0;
  const stream = createReadStream(path, { highWaterMark: 1024 * 1024 });
  const corrupt = (what: string, cause?: unknown) =>
    new TransferError("SIPHON_TRANSFER_CORRUPT", `${path} (point ${point.name}) ${what}`, { cause });
  try {
    for await (const part of stream as AsyncIterable<Buffer>) {
      digest.update(part);
      bytes += part.length;
      if (bytes > point.bytes) throw corrupt(`is longer than when it was written (${point.bytes} bytes)`);
      if (bytes === point.bytes && digest.digest("hex") !== point.sha256) {
        throw corrupt("has changed since it was written: its checksum differs");
      }
      yield part;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw corrupt("is missing", error);
    throw error;
  }
  if (bytes < point.bytes) throw corrupt(`has only ${bytes} of its ${point.bytes} bytes`);
}
