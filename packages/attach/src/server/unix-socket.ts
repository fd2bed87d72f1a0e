import { chmodSync, chownSync, closeSync, fstatSync, openSync } from "node:fs";
import { lstat, rename, stat, unlink } from "node:fs/promises";
import { connect } from "node:net";
import { dirname } from "node:path";
import { AttachError } from "../errors.ts";
import { ownerOnly, type SocketAccess } from "./socket-access.ts";

/**
 * Makes a socket at a path that has its owner and its mode from the first moment on that anybody finds it there. One that nobody listens
 * on any more is replaced.
 *
 * A socket for somebody else is made beside its place, for this user alone, and moved there when it is whole. Two servers do not do this at
 * once: the second finds the name beside the place in use.
 *
 * @param listen binds to the path that it is given before it returns, and is awaited
 * @param close ends what `listen` began, where the socket cannot be put in its place
 * @throws SIPHON_ATTACH_SOCKET_BUSY where something listens, SIPHON_ATTACH_SOCKET where no such socket can be made
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

/** Gives a socket that is there already its owner and its mode, as `placeSocket` does for a new one. */
export function giveSocket(path: string, access: SocketAccess): void {
  try {
    giveTo(path, { uid: process.getuid!(), gid: process.getgid!(), ...access });
  } catch (error) {
    throw error instanceof AttachError ? error : cannotGive(path, error as NodeJS.ErrnoException);
  }
}

/** The file is made inside of this call, with the process's file mode mask: a later chmod would leave it open to others for a moment. */
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

/** Node would take the beginning of a longer path. */
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

/** By a descriptor: what lies at the path is looked at once. Without an owner or a group it stays who it is. */
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
 * @throws AttachError SIPHON_ATTACH_SOCKET_BUSY when something lives there, SIPHON_ATTACH_SOCKET when it is no socket at all
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
    // Only a refusal says that nobody is there: a full queue or missing rights do not.
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ECONNREFUSED"));
  });
}
