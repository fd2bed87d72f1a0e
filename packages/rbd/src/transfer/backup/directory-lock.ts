import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { TransferError } from "../transfer-error.ts";

/** The locked file in a backup's directory; it stays, empty. */
export const lockFileName = ".lock";

/**
 * Prevents other processes from changing the directory, until it is disposed of or this process ends: a lock (flock(2))
 * on a file in it, which only the directory's owner can open. It works across namespaces and containers that share the
 * directory, and on NFS across machines.
 */
export async function lockDirectory(path: string): Promise<AsyncDisposable> {
  const { O_CREAT, O_RDWR, O_NOFOLLOW } = constants;
  const file = await open(join(path, lockFileName), O_CREAT | O_RDWR | O_NOFOLLOW, 0o600);
  try {
    await lock(file, path);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Node has no flock; the program of util-linux locks the open file, which stays open here after the program ends. */
async function lock(file: FileHandle, path: string): Promise<void> {
  const child = spawn("flock", ["--exclusive", "--nonblock", "3"], {
    stdio: ["ignore", "ignore", "pipe", file.fd],
  });
  const said = text(child.stderr!);
  const [code] = await once(child, "close").catch((cause) => {
    throw new TransferError("SIPHON_TRANSFER_LOCK", `cannot lock ${path}: ${cause.message}`, {
      ...{ cause, hint: "install the program flock (Debian's package util-linux)" },
    });
  });
  if (code === 0) return;
  if (code === 1) {
    throw new TransferError("SIPHON_TRANSFER_BUSY", `another process is using ${path}`, {
      ...{ retryable: true, hint: "wait until that backup ends" },
    });
  }
  throw new TransferError("SIPHON_TRANSFER_LOCK", `cannot lock ${path}: ${(await said).trim()}`, {
    hint: "put the backup on a file system that supports locks",
  });
}
