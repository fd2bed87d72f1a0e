import { spawn } from "node:child_process";
import { once } from "node:events";
import { createConnection } from "node:net";
import type { ShellAccess } from "@siphon/lab";

/** Connects this terminal to a guest's, until the user leaves it or the VM ends. */
export async function openShell(shell: ShellAccess, signal: AbortSignal): Promise<void> {
  if (shell.type === "socket") return attach(shell.path, signal);
  const child = spawn(shell.command, shell.args, { cwd: shell.cwd, stdio: "inherit", signal });
  const [exitCode] = (await once(child, "exit")) as [number | null];
  process.exitCode = exitCode ?? 1;
}

/** Ctrl-], the escape key of telnet. All other keys go to the guest. */
const LEAVE = 0x1d;

async function attach(path: string, signal: AbortSignal): Promise<void> {
  const socket = createConnection({ path, signal });
  await once(socket, "connect");
  process.stderr.write("connected; leave with Ctrl-]\n");
  const onKeys = (keys: Buffer) => {
    const leave = keys.indexOf(LEAVE);
    socket.write(leave < 0 ? keys : keys.subarray(0, leave));
    if (leave >= 0) socket.end();
  };
  // A serial line has no window size. The empty line makes the shell print its prompt.
  const { rows = 24, columns = 80 } = process.stdout;
  socket.write(`stty rows ${rows} cols ${columns}\n\n`);
  process.stdin.setRawMode(true);
  process.stdin.on("data", onKeys).resume();
  socket.pipe(process.stdout, { end: false });
  try {
    await once(socket, "close");
  } finally {
    process.stdin.off("data", onKeys).pause();
    process.stdin.setRawMode(false);
    process.stderr.write("\n");
  }
}
