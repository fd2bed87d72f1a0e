import { type ChildProcess, type ForkOptions, fork } from "node:child_process";
import { parse } from "node:path";

/**
 * Starts a module of siphon as a program in its own process, with an IPC channel. The packaged siphon has no files for
 * its modules: their addresses begin with `siphon:`, and it starts itself with the program's name.
 *
 * @param program the module, `new URL("./name.ts", import.meta.url)`
 */
export function forkProgram(program: URL, args: readonly string[], options: ForkOptions = {}): ChildProcess {
  if (program.protocol !== "siphon:") return fork(program, args, options);
  const { name } = parse(program.pathname);
  return fork(process.argv[1]!, args, { ...options, env: { ...process.env, SIPHON_PROGRAM: name } });
}
