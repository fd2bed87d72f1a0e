import { lstat, unlink } from "node:fs/promises";
import { connect, isIPv4, type Server } from "node:net";
import { AttachError } from "../errors.ts";

export type ListenAddress = { readonly path: string } | { readonly host: string; readonly port: number };

/** `HOST:PORT`, `[ADDRESS]:PORT`, or the path of a unix socket: whatever has a slash or no port. */
export function parseListenAddress(text: string): ListenAddress {
  const parts = text.includes("/")
    ? null
    : /^(?:\[(?<six>[^\]]+)\]|(?<host>[^:]+)):(?<port>\d{1,5})$/.exec(text);
  const { six, host, port } = parts?.groups ?? {};
  const name = six ?? host;
  if (name === undefined || Number(port) > 0xffff) return { path: text };
  return { host: name, port: Number(port) };
}

/** Whether nobody but this machine can reach the host: by name or number. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

/**
 * Makes a server listen. A unix socket can be used by its owner alone from its first moment on; one that nobody listens on any more
 * is removed first.
 *
 * Throws SIPHON_ATTACH_SOCKET_BUSY where something listens, SIPHON_ATTACH_SOCKET where no socket can be made.
 */
export async function listenAt(server: Server, address: ListenAddress): Promise<void> {
  const where = "path" in address ? address.path : `${address.host}:${address.port}`;
  if ("path" in address) await removeDeadSocket(address.path);
  const listening = new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      resolve();
    });
  });
  if ("path" in address) privately(() => server.listen(address.path));
  else server.listen(address.port, address.host);
  try {
    await listening;
  } catch (error) {
    const busy = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
    throw new AttachError(
      busy ? "SIPHON_ATTACH_SOCKET_BUSY" : "SIPHON_ATTACH_SOCKET",
      `cannot listen on ${where}: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

/**
 * Removes a unix socket that a dead process left. Throws SIPHON_ATTACH_SOCKET_BUSY when something lives there, SIPHON_ATTACH_SOCKET
 * when it is no socket at all.
 */
export async function removeDeadSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new AttachError("SIPHON_ATTACH_SOCKET", `${path} exists and is no socket`, {
      hint: "choose another path",
    });
  }
  if (await isAlive(path)) {
    throw new AttachError("SIPHON_ATTACH_SOCKET_BUSY", `another program listens on ${path}`, {
      hint: "end that program, or choose another path",
    });
  }
  await unlink(path).catch(() => {});
}

/**
 * The socket file is made inside of this call, with the process's file mode mask: a later chmod would leave it open to others for a
 * moment.
 */
export function privately<T>(makeSocket: () => T): T {
  const before = process.umask(0o177);
  try {
    return makeSocket();
  } finally {
    process.umask(before);
  }
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
