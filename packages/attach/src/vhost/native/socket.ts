import { closeSync, fstatSync } from "node:fs";
import { AttachError } from "../../errors.ts";
import { addressOf, allocate, checked, lastErrno, libc } from "./libc.ts";

const unix = 1;
const stream = 1;
const nonBlocking = 0o4000;
const closedOnExec = 0o2000000;
const flags = nonBlocking | closedOnExec;

/** F_DUPFD_CLOEXEC. */
const duplicateCloseOnExec = 1030;
/** F_SETFD, and FD_CLOEXEC. */
const setDescriptorFlags = 2;
const closeOnExecFlag = 1;

/** sockaddr_un: u16 family, then the path with its closing NUL in 108 bytes. */
const pathBytes = 108;

/**
 * Listens at a path; the process's umask decides who may connect.
 *
 * @throws AttachError SIPHON_ATTACH_SOCKET_BUSY if the path exists, SIPHON_ATTACH_SOCKET if no socket can be created
 * there
 */
export function listenAt(path: string): number {
  const fd = checked(libc().socket(unix, stream | flags, 0), "create a socket");
  try {
    const addr = sockaddr(path);
    if (libc().bind(fd, addressOf(addr), addr.length) < 0) throw unusable(path, lastErrno());
    checked(libc().listen(fd, 8), `listen at ${path}`);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Another descriptor of the same connection. */
export function duplicate(fd: number): number {
  return checked(libc().fcntl(fd, duplicateCloseOnExec, 0), "duplicate a descriptor");
}

/** Closes a descriptor in programs that this process starts. */
export function closeOnExec(fd: number): void {
  checked(libc().fcntl(fd, setDescriptorFlags, closeOnExecFlag), "mark a descriptor");
}

/** Accepts a waiting connection; undefined if none waits. */
export function acceptFrom(listener: number): number | undefined {
  const fd = libc().accept4(listener, 0, 0, flags);
  if (fd >= 0) return fd;
  const errno = lastErrno();
  if (errno === "EAGAIN" || errno === "ECONNABORTED" || errno === "EINTR") return undefined;
  throw new AttachError("SIPHON_ATTACH_NATIVE", `cannot accept a connection (${errno})`, { retryable: true });
}

/** Connects to the listener at a path; throws SIPHON_ATTACH_SOCKET if there is none. */
export function connectTo(path: string): number {
  const fd = checked(libc().socket(unix, stream | flags, 0), "create a socket");
  const addr = sockaddr(path);
  if (libc().connect(fd, addressOf(addr), addr.length) >= 0) return fd;
  const errno = lastErrno();
  closeSync(fd);
  throw unusable(path, errno);
}

/** Adopts a peer's descriptor as a socket; throws SIPHON_ATTACH_PROTOCOL if it is not a socket. */
export function adoptSocket(fd: number): number {
  if (fstatSync(fd).isSocket()) return fd;
  throw new AttachError("SIPHON_ATTACH_PROTOCOL", "a descriptor for messages is not a socket");
}

/** Two connected sockets. */
export function socketPair(): [number, number] {
  const fds = allocate(8);
  checked(libc().socketpair(unix, stream | flags, 0, addressOf(fds)), "create a pair of sockets");
  return [fds.readInt32LE(0), fds.readInt32LE(4)];
}

/** sockaddr_un of a path. */
export function sockaddr(path: string): Buffer {
  const length = Buffer.byteLength(path);
  if (length >= pathBytes || length === 0) {
    throw new AttachError("SIPHON_ATTACH_SOCKET", `the path ${path} is too long for a socket`, {
      hint: `a socket's path has at most ${pathBytes - 1} bytes`,
    });
  }
  const addr = allocate(2 + length + 1);
  addr.writeUInt16LE(unix, 0);
  addr.write(path, 2);
  return addr;
}

function unusable(path: string, errno: string): AttachError {
  const hints: Record<string, string> = {
    EADDRINUSE: "stop the program that listens there, or choose another path",
    ENOENT: "its directory must exist",
    ECONNREFUSED: "no program listens there",
  };
  const code = errno === "EADDRINUSE" ? "SIPHON_ATTACH_SOCKET_BUSY" : "SIPHON_ATTACH_SOCKET";
  return new AttachError(code, `cannot use the socket ${path} (${errno})`, {
    hint: hints[errno],
    retryable: errno === "ECONNREFUSED" || errno === "EAGAIN",
  });
}
