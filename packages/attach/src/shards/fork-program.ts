import { type ChildProcess, type ForkOptions, fork } from "node:child_process";
import { parse } from "node:path";

/**
 * Starts a module of siphon's as a program in a process of its own, with an IPC channel. The packaged siphon has no files for its
 * modules: their addresses begin with `siphon:` there, and it starts itself, under the name of the program.
 *
 * @param program the module, `new URL("./name.ts", import.meta.url)`
 */
export function forkProgram(program: URL, args: readonly string[], options: ForkOptions = {}): ChildProcess {
  if (program.protocol !== "siphon:") return fork(program, args, options);
  const { name } = parse(program.pathname);
  return fork(process.argv[1]!, args, { ...options, env: { ...process.env, SIPHON_PROGRAM: name } });
}
