import { stat } from "node:fs/promises";
import { createServer } from "node:net";
import { TransferError } from "../transfer-error.ts";

/**
 * Keeps other processes of this machine from changing the same directory, until it is disposed of or this process ends in any
 * way: an abstract socket named after the directory, which the kernel gives to one at a time.
 */
export async function lockDirectory(path: string): Promise<AsyncDisposable> {
  const { dev, ino } = await stat(path);
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(`\0siphon-backup-${dev}-${ino}`, resolve);
  try {
    await promise;
  } catch (cause) {
    throw new TransferError("SIPHON_TRANSFER_BUSY", `another process is at work on ${path}`, {
      cause,
      retryable: true,
      hint: "wait until that backup has ended",
    });
  }
  server.unref();
  return { [Symbol.asyncDispose]: () => new Promise((done) => server.close(() => done())) };
}
