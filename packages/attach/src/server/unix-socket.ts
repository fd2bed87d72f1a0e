import { chmodSync, chownSync, closeSync, fstatSync, openSync } from "node:fs";
import { lstat, rename, stat, unlink } from "node:fs/promises";
import { connect } from "node:net";
import { dirname } from "node:path";
import { AttachError } from "../errors.ts";
import { ownerOnly, type SocketAccess } from "./socket-access.ts";

/**
 * Creates a socket that has its owner and mode from the moment it appears at its path. A socket without a listener is
 * replaced.
 *
 * A socket for another user is created beside its path, accessible to this user only, and renamed when it is complete.
 * Two servers cannot do this at once: the second finds the temporary name in use.
 *
 * @param listen binds to the given path before it returns; its promise is awaited
 * @param close undoes `listen` if the socket cannot be put in its place
 * @throws SIPHON_ATTACH_SOCKET_BUSY if another program listens there, SIPHON_ATTACH_SOCKET if no such socket can be
 * created
 */
export async function placeSocket<T>(
  path: string,
  access: SocketAccess,
  listen: (path: string) => T,
  close: (listening: Awaited<T>) => void,
): Promise<Awaited<T>> {
  const { uid, gid, mode } = access;
  checkLength(path);
  await checkDirectory(path);
  if (uid === undefined && gid === undefined) {
    await removeDead(path);
    return await withFileMode(mode, () => listen(path));
  }
  const beside = `${path}~`;
  await removeDead(beside);
  const listening = await withFileMode(ownerOnly.mode, () => listen(beside));
  try {
    await refuseSocketInUse(path);
    giveTo(beside, access);
    await rename(beside, path);
  } catch (error) {
    await unlink(beside).catch(() => {});
    close(listening);
    throw error instanceof AttachError ? error : cannotGive(path, error as NodeJS.ErrnoException);
  }
  return listening;
}

/** Sets owner and mode of an existing socket, as `placeSocket` does for a new one. */
export function giveSocket(path: string, access: SocketAccess): void {
  try {
    giveTo(path, { uid: process.getuid!(), gid: process.getgid!(), ...access });
  } catch (error) {
    throw error instanceof AttachError ? error : cannotGive(path, error as NodeJS.ErrnoException);
  }
}

/** This call creates the file with the process's umask; a later chmod would leave it open to others for a moment. */
function withFileMode<T>(mode: number, makeSocket: () => T): T {
  const before = process.umask(0o777 & ~mode);
  try {
    return makeSocket();
  } finally {
    process.umask(before);
  }
}

async function removeDead(path: string): Promise<void> {
  if (await refuseSocketInUse(path)) await unlink(path).catch(() => {});
}

/** Node would truncate a longer path. */
function checkLength(path: string): void {
  if (Buffer.byteLength(path) <= longestPath) return;
  throw new AttachError("SIPHON_ATTACH_SOCKET", `the path ${path} is too long for a socket`, {
    hint: `a socket's path has at most ${longestPath} bytes here`,
  });
}

/** Node's error for a missing one speaks of permissions. */
async function checkDirectory(path: string): Promise<void> {
  const directory = dirname(path);
  const error = await stat(directory).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error,
  );
  if (error?.code !== "ENOENT") return;
  throw new AttachError("SIPHON_ATTACH_SOCKET", `there is no directory ${directory} for the socket ${path}`, {
    hint: `make it: mkdir -p ${directory}`,
  });
}

/** sockaddr_un holds 107 bytes and a closing NUL; one of them is for the name beside the place. */
const longestPath = 106;

/** Uses a descriptor, so that the path is resolved once. A missing owner or group stays unchanged. */
function giveTo(path: string, { uid = -1, gid = -1, mode }: SocketAccess): void {
  const fd = openSync(path, pathOnly | noFollow);
  try {
    if (!fstatSync(fd).isSocket())
      throw new AttachError("SIPHON_ATTACH_SOCKET", `${path} was replaced by something else`);
    const file = `/proc/self/fd/${fd}`;
    chownSync(file, uid, gid);
    chmodSync(file, mode);
  } finally {
    closeSync(fd);
  }
}

/** Flags of open(2) that Node does not name. */
const pathOnly = 0o10000000;
const noFollow = 0o400000;

function cannotGive(path: string, error: NodeJS.ErrnoException): AttachError {
  const message = `cannot give the socket ${path} its owner: ${error.message}`;
  const hint = error.code === "EPERM" ? "run as root, or choose a group of this user" : undefined;
  return new AttachError("SIPHON_ATTACH_SOCKET", message, { cause: error, hint });
}

/**
 * Whether a dead process left a unix socket there.
 *
 * @throws AttachError SIPHON_ATTACH_SOCKET_BUSY if a program listens there, SIPHON_ATTACH_SOCKET if the file is not a
 * socket
 */
export async function refuseSocketInUse(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return false;
  if (!found.isSocket()) {
    throw new AttachError("SIPHON_ATTACH_SOCKET", `${path} exists and is not a socket`, {
      hint: "choose another path",
    });
  }
  if (await isAlive(path)) {
    throw new AttachError("SIPHON_ATTACH_SOCKET_BUSY", `another program is listening on ${path}`, {
      hint: "end that program, or choose another path",
    });
  }
  return true;
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    // Only ECONNREFUSED proves that no program listens: a full queue or missing rights do not.
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ECONNREFUSED"));
  });
}
