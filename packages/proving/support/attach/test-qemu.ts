import { type ChildProcess, spawn } from "node:child_process";
import { host, type Platform, Root } from "@siphon/lab";
import { run } from "./run.ts";

const named = process.env.SIPHON_TEST_QEMU;

/**
 * The source of the QEMU that tests run: this host, or the root that SIPHON_TEST_QEMU names (a name in the cache, or a
 * directory).
 */
export const qemu: Platform = named ? await Root.find(named) : host;

/** Runs one of QEMU's programs to its end and returns its output; throws with its standard error if it fails. */
export function runQemu(program: string, args: readonly string[]): Promise<string> {
  const { command, args: words, env } = qemu.command(program, args);
  return run(command, words, undefined, { env });
}

/** Starts one of QEMU's programs. The pid is the program's own. */
export function startQemu(program: string, args: readonly string[]): ChildProcess {
  const { command, args: words, env } = qemu.command(program, args);
  return spawn(command, words, { stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...env } });
}
