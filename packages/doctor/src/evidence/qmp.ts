import { connect } from "node:net";
import type { QemuOption } from "../inputs/qemu/arguments.ts";
import { keyValues, textOf } from "../inputs/qemu/key-values.ts";

/** Read-only commands. */
export type QmpQuery =
  | "query-version"
  | "query-block"
  | "query-blockstats"
  | "query-iothreads"
  | "query-named-block-nodes";

/** The QMP sockets on a QEMU command line. */
export function qmpSockets(options: readonly QemuOption[]): string[] {
  const chardevs = new Map<string, string>();
  const paths: string[] = [];
  for (const { name, value } of options) {
    if (name === "chardev") {
      const tree = keyValues(value, "backend");
      const id = textOf(tree, "id");
      const path = textOf(tree, "path");
      if (
        id !== undefined &&
        path !== undefined &&
        textOf(tree, "server") !== undefined &&
        textOf(tree, "server") !== "off"
      )
        chardevs.set(id, path);
    } else if (name === "mon") {
      const tree = keyValues(value, "chardev");
      const path = chardevs.get(textOf(tree, "chardev") ?? "");
      if (textOf(tree, "mode") === "control" && path !== undefined) paths.push(path);
    } else if (name === "qmp" || name === "qmp-pretty") {
      const path = /^unix:([^,]+)/.exec(value)?.[1];
      if (path !== undefined) paths.push(path);
    }
  }
  return paths;
}

/**
 * Sends queries to QEMU and disconnects. A monitor serves one client at a time: while another holds it no greeting arrives, and this fails.
 *
 * @param timeout milliseconds for the whole exchange
 * @throws Error with the reason, in words
 */
export async function askQmp(
  path: string,
  queries: readonly QmpQuery[],
  timeout = 3000,
  signal?: AbortSignal,
): Promise<Map<QmpQuery, unknown>> {
  const answers = new Map<QmpQuery, unknown>();
  const waiting: string[] = ["qmp_capabilities", ...queries];
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let text = "";
    let asked = 0;
    const end = (error?: Error) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      socket.destroy();
      if (error === undefined) resolve(answers);
      else reject(error);
    };
    const onAbort = () => end(new Error("interrupted"));
    const timer = setTimeout(
      () => end(new Error("another client holds the monitor, or QEMU does not answer")),
      timeout,
    );
    signal?.addEventListener("abort", onAbort, { once: true });
    socket.on("error", ({ code, message }: NodeJS.ErrnoException) =>
      // EAGAIN: the socket's backlog of waiting clients is full.
      end(new Error(code === "EAGAIN" ? "another client holds the monitor" : (code ?? message))),
    );
    socket.on("close", () => end(new Error("QEMU closed the connection")));
    socket.on("data", (data) => {
      text += data.toString("utf8");
      if (text.length > 32 * 2 ** 20) return end(new Error("the answer is too long"));
      const lines = text.split("\n");
      text = lines.pop()!;
      for (const line of lines) {
        const message = parse(line);
        if (message === undefined || "event" in message) continue;
        if ("QMP" in message) socket.write(`{"execute":"${waiting[asked]}"}\n`);
        else if ("return" in message || "error" in message) {
          if (asked > 0 && "return" in message) answers.set(waiting[asked] as QmpQuery, message.return);
          asked++;
          if (asked === waiting.length) return end();
          socket.write(`{"execute":"${waiting[asked]}"}\n`);
        }
      }
    });
  });
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
