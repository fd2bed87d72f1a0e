import { readFileSync } from "node:fs";

/** __SO_ACCEPTCON of the kernel, as /proc/net/unix shows it. */
const ACCEPTS = "00010000";

/** Whether a program listens on a unix socket: the socket has its name a moment earlier. */
export function listens(path: string): boolean {
  return readFileSync("/proc/net/unix", "utf8")
    .split("\n")
    .some((line) => line.endsWith(` ${path}`) && line.split(" ")[3] === ACCEPTS);
}
