import { connect } from "node:net";
import { RadosError } from "../errors.ts";
import { type WaitOptions, within } from "../wait.ts";
import { type Command, commandText } from "./command.ts";
import { matchCommand, readSignatures } from "./signature.ts";

/**
 * Sends a command, given as words, to a daemon of this machine over its admin socket, without the cluster and without a
 * key.
 *
 * @param path of the socket, `/var/run/ceph/ceph-osd.0.asok`
 * @param format output format; default: the daemon's
 * @returns the unchanged answer
 * @throws RadosError EINVAL for an invalid command; SIPHON_RADOS_UNREACHABLE if no daemon listens
 */
export async function adminSocketCommand(
  path: string,
  words: readonly string[],
  format?: string,
  options: WaitOptions = {},
): Promise<Buffer> {
  const descriptions = await ask(path, { prefix: "get_command_descriptions" }, options);
  const { command } = matchCommand(readSignatures(parsed(descriptions, path)), words);
  return await ask(path, { ...command, ...(format !== undefined && { format }) }, options);
}

/** A command is JSON and a zero byte; the answer u32 length, big-endian, and this many bytes (src/common/admin_socket.cc). */
async function ask(path: string, command: Command, options: WaitOptions): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const received: Buffer[] = [];
  const socket = connect(path, () => socket.write(`${commandText(command)}\0`));
  socket.on("data", (bytes) => received.push(bytes));
  socket.on("error", (cause) => reject(unreachable(path, cause)));
  socket.on("end", () => {
    const all = Buffer.concat(received);
    if (all.length >= 4 && all.readUInt32BE(0) === all.length - 4) resolve(all.subarray(4));
    else reject(new RadosError("SIPHON_RADOS_PROTOCOL", `the daemon at ${path} did not answer completely`));
  });
  try {
    return await within(promise, `no answer from the daemon at ${path}`, options);
  } finally {
    socket.destroy();
  }
}

function parsed(descriptions: Buffer, path: string): unknown {
  try {
    return JSON.parse(descriptions.toString("utf8"));
  } catch (cause) {
    throw new RadosError("SIPHON_RADOS_PROTOCOL", `the program at ${path} is not a Ceph daemon`, { cause });
  }
}

function unreachable(path: string, cause: Error): RadosError {
  const { code } = cause as NodeJS.ErrnoException;
  return new RadosError("SIPHON_RADOS_UNREACHABLE", `cannot reach a daemon at ${path} (${code})`, {
    ...{ cause, hint: "the daemon must run on this machine, and this user must be able to open its socket" },
  });
}
