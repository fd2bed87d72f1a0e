import { readdir, readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { readLink } from "./proc.ts";

/** Paths of the admin sockets that the Ceph clients of a process listen on (`admin_socket` in ceph.conf): QEMU has one for each disk. */
export async function adminSockets(pid: number, proc = "/proc"): Promise<string[]> {
  const [table, names] = await Promise.all([
    readFile(`${proc}/${pid}/net/unix`, "utf8").catch(() => ""),
    readdir(`${proc}/${pid}/fd`).catch(() => []),
  ]);
  const listening = new Map<string, string>();
  for (const line of table.split("\n")) {
    const match = /^\S+ \S+ \S+ (\S+) \S+ \S+ +(\d+) (\/.*\.asok)$/.exec(line);
    // __SO_ACCEPTCON: the kernel's flag for a listening socket.
    if (match !== null && (Number.parseInt(match[1]!, 16) & 0x10000) !== 0)
      listening.set(match[2]!, match[3]!);
  }
  if (listening.size === 0) return [];
  const links = await Promise.all(names.map((name) => readLink(`${proc}/${pid}/fd/${name}`)));
  const paths = links.flatMap(
    (link) => listening.get(/^socket:\[(\d+)\]$/.exec(link ?? "")?.[1] ?? "") ?? [],
  );
  return paths.map((path) => join(`${proc}/${pid}/root`, path)).sort();
}

/** Bytes of an answer; the process may be another user's. */
const longest = 32 << 20;

/**
 * Asks a Ceph client over its admin socket. A request is JSON and a NUL byte; the answer is its length (u32, big-endian), then JSON.
 * Source: src/common/admin_socket.cc.
 *
 * @throws Error with the reason, in words
 */
export function askClient(
  path: string,
  command: Record<string, unknown> & { prefix: string },
  timeout = 3000,
  signal?: AbortSignal,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    const stop = AbortSignal.any([AbortSignal.timeout(timeout), ...(signal === undefined ? [] : [signal])]);
    const socket = connect({ path, signal: stop });
    socket.on("error", (error: NodeJS.ErrnoException) =>
      reject(new Error(stop.aborted ? "it does not answer" : (error.code ?? error.message))),
    );
    let length = 0;
    socket.on("data", (part) => {
      parts.push(part);
      length += part.length;
      if (length > longest) socket.destroy(new Error("the answer is too long"));
    });
    socket.on("close", () => {
      const all = Buffer.concat(parts);
      try {
        resolve(JSON.parse(all.toString("utf8", 4, 4 + all.readUInt32BE(0))));
      } catch {
        reject(new Error("it has no such command"));
      }
    });
    socket.write(`${JSON.stringify({ format: "json", ...command })}\0`);
  });
}
