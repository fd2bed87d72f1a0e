import { type ChildProcess, execFile } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";

const exec = promisify(execFile);

/** Runs a program and returns its output; throws with its standard error if it fails. */
export async function run(
  program: string,
  args: readonly string[],
  input?: string | Buffer,
  { env = {}, timeout = 120_000 }: { env?: Record<string, string | undefined>; timeout?: number } = {},
): Promise<string> {
  const running = exec(program, args, {
    timeout,
    maxBuffer: 64 << 20,
    env: { ...process.env, ...env },
  });
  if (input !== undefined) running.child.stdin!.end(input);
  return (await running).stdout;
}

/** Ends a process that was started, by force, and waits until it is gone. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}
