import { once } from "node:events";
import { connect } from "node:net";
import { AttachError, type AttachRemedy } from "../errors.ts";
import { errorOf } from "../shards/failure.ts";
import type { ControlAnswer, ControlCommand } from "./control-protocol.ts";

/**
 * Sends a request to the service's control socket.
 *
 * @throws the error that the service answers; AttachError SIPHON_ATTACH_CONTROL if no service answers
 */
export async function askService(
  path: string,
  command: ControlCommand,
  signal?: AbortSignal,
): Promise<unknown> {
  const socket = connect(path);
  const stop = () => socket.destroy(signal!.reason as Error);
  signal?.addEventListener("abort", stop, { once: true });
  try {
    await once(socket, "connect").catch((error) => {
      throw signal?.aborted ? error : unreachable(path, error);
    });
    socket.end(`${JSON.stringify(command)}\n`);
    const parts: Buffer[] = [];
    for await (const part of socket as AsyncIterable<Buffer>) parts.push(part);
    return resultOf(Buffer.concat(parts).toString(), path);
  } finally {
    signal?.removeEventListener("abort", stop);
    socket.destroy();
  }
}

function resultOf(text: string, path: string): unknown {
  let answer: ControlAnswer;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new AttachError("SIPHON_ATTACH_CONTROL", `the service at ${path} ended before it answered`, {
      remedy: { name: "look-at-disks" } satisfies AttachRemedy,
    });
  }
  if (!answer.ok) throw errorOf(answer.error);
  return answer.result;
}

function unreachable(path: string, error: NodeJS.ErrnoException): AttachError {
  const name = error.code === "EACCES" ? "be-service-user" : "start-service";
  return new AttachError("SIPHON_ATTACH_CONTROL", `no service answers at ${path}: ${error.message}`, {
    ...{ cause: error, remedy: { name } satisfies AttachRemedy },
  });
}
