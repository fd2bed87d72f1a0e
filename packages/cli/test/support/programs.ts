import { spawn } from "node:child_process";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { builtProgram } from "../../../../scripts/build/built-program.ts";

/** The packaged command. */
export const main = builtProgram();

export interface Answer {
  code: number | null;
  stdout: string;
  stderr: string;
}

interface CallOptions {
  input?: string | Uint8Array;
  env?: Record<string, string>;
  cwd?: string;
}

/** Runs a program to its end, with any exit code. */
export async function call(
  program: string,
  args: readonly string[],
  { input = "", env = {}, cwd }: CallOptions = {},
): Promise<Answer> {
  const child = spawn(program, args, { stdio: "pipe", env: { ...process.env, ...env }, ...(cwd && { cwd }) });
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [stdout, stderr] = await Promise.all([
    buffer(child.stdout),
    buffer(child.stderr),
    once(child, "close"),
  ]);
  return { code: child.exitCode, stdout: stdout.toString("latin1"), stderr: stderr.toString() };
}

export function callSiphon(args: readonly string[], options?: CallOptions): Promise<Answer> {
  return call(process.execPath, [main, ...args], options);
}

/** Repeats a failed comparison, because daemons update their counters between the two calls. */
export async function agree(compare: () => Promise<unknown>): Promise<void> {
  for (let tries = 10; ; tries--) {
    try {
      await compare();
      return;
    } catch (error) {
      if (tries === 1) throw error;
    }
  }
}
