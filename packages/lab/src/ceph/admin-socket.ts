import { createConnection } from "node:net";
import { LabError } from "../errors.ts";

/** A command of a daemon's admin socket, as in `{ prefix: "config get", var: "ms_client_mode" }`. */
export type AdminCommand = { prefix: string } & Record<string, unknown>;

/**
 * Asks a Ceph daemon over its admin socket (what `ceph daemon NAME ...` does, without the Python start-up).
 *
 * request: JSON, then a NUL byte answer: u32 length, big-endian | JSON
 *
 * Source: src/common/admin_socket.cc.
 *
 * @throws LabError SIPHON_CLUSTER if the daemon does not answer in JSON; it reports errors as plain text
 */
export async function askAdminSocket(
  path: string,
  command: AdminCommand,
  { timeoutMs = 10_000, signal }: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<unknown> {
  signal?.throwIfAborted();
  const timeout = AbortSignal.timeout(timeoutMs);
  const stop = signal ? AbortSignal.any([signal, timeout]) : timeout;
  let answer: Buffer;
  try {
    answer = await exchange(path, `${JSON.stringify({ format: "json", ...command })}\0`, stop);
  } catch (cause) {
    signal?.throwIfAborted();
    const why = timeout.aborted ? `no answer within ${timeoutMs / 1000} s` : (cause as Error).message;
    throw new LabError("SIPHON_CLUSTER", `the admin socket ${path} does not answer: ${why}`, {
      cause,
      retryable: true,
    });
  }
  try {
    return JSON.parse(answer.toString("utf8"));
  } catch (cause) {
    const text = answer.toString("utf8").trim().slice(0, 300);
    throw new LabError("SIPHON_CLUSTER", `${path} refuses "${command.prefix}": ${text}`, { cause });
  }
}

function exchange(path: string, request: string, signal: AbortSignal): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  const socket = createConnection({ path, signal });
  socket.on("error", reject);
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("close", () => {
    const all = Buffer.concat(chunks);
    if (all.length >= 4 && all.length >= 4 + all.readUInt32BE(0)) {
      resolve(all.subarray(4, 4 + all.readUInt32BE(0)));
    } else {
      reject(new Error("it closed the connection"));
    }
  });
  socket.write(request);
  return promise;
}
