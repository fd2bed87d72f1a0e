import { version } from "@siphon/wire";
import { Command, CommanderError } from "commander";
import { takeCephSettings } from "./ceph-settings.ts";
import type { CommandEntry } from "./command-entry.ts";
import { meaningDefaultPool } from "./commands/rbd/default-pool.ts";
import { commands } from "./commands.ts";
import { errnoExitCode, exitCodeOf, explain, Interrupted, onlyOne, rbdExitCode } from "./failure.ts";
import { interruption } from "./interruption.ts";
import { keepHeapSmall } from "./small-heap.ts";

/** The newest Ceph release whose protocol and commands siphon speaks. Programs that parse `--version` expect one. */
const cephRelease = { version: "20.2.4", name: "tentacle" };

process.stdout.on("error", (error) =>
  interruption.outputFailed(Object.assign(error, { path: "to standard output" })),
);
// A failure of standard error cannot be reported anywhere.
process.stderr.on("error", () => {});
void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
// Everything is done. Exit here: Node would otherwise tear down its heap object by object, which the kernel does at once.
process.once("beforeExit", () => process.exit());
process.on("exit", () => {
  // Writing the last part of the output can fail as late as here. A command that ended well after a signal has not failed.
  const { signal } = interruption;
  const outputFailed = signal.aborted && !(signal.reason instanceof Interrupted);
  if (!outputFailed || process.exitCode !== 0) return;
  process.exitCode = exitCodeOf(undefined, signal);
  if (!isBrokenPipe(signal)) process.stderr.write(`${explain(undefined, signal)}\n`);
});

async function main(args: string[]): Promise<number> {
  interruption.arm();
  const at = args.findIndex((arg) => !arg.startsWith("-"));
  const called = commands.find((entry) => entry.name === args[at]);
  if (called?.isPlainLoad?.(args.slice(at + 1))) keepHeapSmall();
  try {
    await meaningDefaultPool(() => run(args, at));
    return Number(process.exitCode ?? 0);
  } catch (error) {
    const { signal } = interruption;
    const exits = called?.exits;
    if (error instanceof CommanderError) return commanderExitCode(error, exits);
    if (!isBrokenPipe(signal)) process.stderr.write(`${explain(error, signal, exits !== undefined)}\n`);
    return exitCode[exits ?? "none"](error, signal);
  } finally {
    interruption.disarm();
  }
}

const exitCode = { errno: errnoExitCode, rbd: rbdExitCode, one: onlyOne, none: exitCodeOf };

async function run(args: readonly string[], at: number): Promise<void> {
  const program = new Command("siphon")
    .description("Siphon measures the disks of VMs on Ceph and makes them fast.")
    .version(version, "-V, --version")
    .exitOverride();
  const called = commands.find((entry) => entry.name === args[at]);
  const behind = args.slice(at + 1);
  if (called?.exits !== undefined && asksForVersion(behind)) {
    process.stdout.write(
      `ceph version ${cephRelease.version} (siphon ${version}) ${cephRelease.name} (stable)\n`,
    );
    return;
  }
  const own = called?.takesCephSettings ? await takeCephSettings(behind) : behind;
  const arranged = (await called?.arrange?.(own)) ?? own;
  if (called?.isPositional) program.enablePositionalOptions();
  // The other commands are visible only in the help, so a call loads just its own command.
  for (const entry of at === 0 && called !== undefined ? [called] : commands) {
    const command = entry === called ? await entry.load(arranged) : new Command(entry.name);
    program.addCommand(inheriting(command.summary(entry.summary)));
  }
  await program.parseAsync([...args.slice(0, at + 1), ...arranged], { from: "user" });
}

function asksForVersion(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return (end < 0 ? args : args.slice(0, end)).some((arg) => arg === "--version" || arg === "-v");
}

/** Ceph's programs exit with 22 (EINVAL) for a missing argument, and with 1 for an unknown option. */
function commanderExitCode({ exitCode, code }: CommanderError, exits: CommandEntry["exits"]): number {
  if (exitCode === 0) return 0;
  if (exits === undefined) return 2;
  return exits !== "one" && code === "commander.missingArgument" ? 22 : 1;
}

/** The reader of the output has exited. This is no failure and is not reported. */
function isBrokenPipe({ aborted, reason }: AbortSignal): boolean {
  return aborted && (reason as NodeJS.ErrnoException).code === "EPIPE";
}

/** Makes subcommands throw usage errors as well instead of exiting, so that `finally` blocks run. */
function inheriting(command: Command): Command {
  command.exitOverride();
  for (const child of command.commands) inheriting(child);
  return command;
}
