import { closeSync } from "node:fs";
import { isIPv4, type Server } from "node:net";
import { resolve } from "node:path";
import { AttachError } from "../errors.ts";
import { listenAt as listenOn } from "../vhost/native/socket.ts";
import { QuietLog } from "./quiet-log.ts";
import { ownerOnly, type SocketAccess } from "./socket-access.ts";
import type { SocketKeeper } from "./socket-keeper.ts";
import { giveSocket, placeSocket } from "./unix-socket.ts";

export type ListenAddress = { readonly path: string } | { readonly host: string; readonly port: number };

/** `HOST:PORT`, `[ADDRESS]:PORT`, or the path of a unix socket: any text with a slash or without a port. */
export function parseListenAddress(text: string): ListenAddress {
  const parts = text.includes("/")
    ? null
    : /^(?:\[(?<six>[^\]]+)\]|(?<host>[^:]+)):(?<port>\d{1,5})$/.exec(text);
  const { six, host, port } = parts?.groups ?? {};
  const name = six ?? host;
  if (name === undefined || Number(port) > 0xffff) return { path: text };
  return { host: name, port: Number(port) };
}

/** Whether only this machine can reach the host, given by name or address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

/**
 * Makes a server listen. By default only the owner can use a unix socket, from its creation on. A socket without a
 * listener is replaced.
 *
 * @param log called when a client cannot be accepted later, for example without free descriptors. The server continues.
 * @param keeper keeps unix sockets for the process after this one. The server's file stays when it closes: see `SocketKeeper.leaves`
 * @throws AttachError SIPHON_ATTACH_SOCKET_BUSY if another program listens there, SIPHON_ATTACH_SOCKET if no socket can
 * be created
 */
export async function listenAt(
  server: Server,
  address: ListenAddress,
  access: SocketAccess = ownerOnly,
  log: (line: string) => void = () => {},
  keeper?: SocketKeeper,
): Promise<void> {
  const where = "path" in address ? address.path : `${address.host}:${address.port}`;
  if ("path" in address && keeper !== undefined) {
    const fd = await keptSocket(resolve(address.path), access, keeper);
    await listening(server, where, () => server.listen({ fd }));
  } else if ("path" in address) {
    const listen = (at: string) => listening(server, where, () => server.listen(at));
    await placeSocket(address.path, access, listen, () => void server.close());
  } else {
    await listening(server, where, () => server.listen(address.port, address.host));
  }
  const failures = new QuietLog(log);
  server.on("error", (error) => failures.write(`${where}: cannot accept a client: ${error.message}`));
  server.once("close", () => failures[Symbol.dispose]());
}

/** A descriptor that listens at a path: the one that the previous process left, or a new one. */
async function keptSocket(path: string, access: SocketAccess, keeper: SocketKeeper): Promise<number> {
  const fd = takeSocket(path, access, keeper) ?? (await placeSocket(path, access, listenOn, closeSync));
  keeper.keep(path, fd);
  return fd;
}

function takeSocket(path: string, access: SocketAccess, keeper: SocketKeeper): number | undefined {
  const fd = keeper.take(path);
  if (fd === undefined) return undefined;
  try {
    giveSocket(path, access);
    return fd;
  } catch (error) {
    // If the socket stayed open, a second try would take it for another program's.
    closeSync(fd);
    keeper.leaves(path);
    throw error;
  }
}

async function listening(server: Server, where: string, listen: () => void): Promise<void> {
  const begun = new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      resolve();
    });
  });
  listen();
  try {
    await begun;
  } catch (error) {
    const busy = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
    throw new AttachError(
      busy ? "SIPHON_ATTACH_SOCKET_BUSY" : "SIPHON_ATTACH_SOCKET",
      `cannot listen on ${where}: ${(error as Error).message}`,
      { cause: error },
    );
  }
}
