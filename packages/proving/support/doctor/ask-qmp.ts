import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";

/** Runs QMP commands in turn and disconnects, so that the monitor is free again; throws if QEMU refuses one. */
export async function askQmp(
  path: string,
  ...commands: { execute: string; arguments?: Record<string, unknown> }[]
): Promise<unknown[]> {
  const socket = connect(path);
  try {
    const lines = createInterface(socket)[Symbol.asyncIterator]();
    const answer = async (): Promise<Record<string, unknown>> => {
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error("QEMU closed the connection");
        const message = JSON.parse(value) as Record<string, unknown>;
        if ("error" in message) throw new Error(JSON.stringify(message.error));
        if ("return" in message || "QMP" in message) return message;
      }
    };
    await answer();
    const answers: unknown[] = [];
    for (const command of [{ execute: "qmp_capabilities" }, ...commands]) {
      socket.write(`${JSON.stringify(command)}\n`);
      answers.push((await answer()).return);
    }
    return answers.slice(1);
  } finally {
    socket.destroy();
    await once(socket, "close");
  }
}
