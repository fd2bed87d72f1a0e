import { version } from "@siphon/wire";
import { Command, CommanderError } from "commander";
import { takeCephSettings } from "./ceph-settings.ts";
import type { CommandEntry } from "./command-entry.ts";
import { meaningDefaultPool } from "./commands/rbd/default-pool.ts";
import { commands } from "./commands.ts";
import { errnoExitCode, exitCodeOf, explain, Interrupted, onlyOne, rbdExitCode } from "./failure.ts";
import { interruption } from "./interruption.ts";

/** The newest release of Ceph whose protocol and commands are spoken: programs that parse versions look for it. */
const cephRelease = { version: "20.2.4", name: "tentacle" };

process.stdout.on("error", (error) =>
  interruption.outputFailed(Object.assign(error, { path: "to standard output" })),
);
// Nobody is left to be told.
process.stderr.on("error", () => {});
void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
// Nothing is left to do. Node would go on to take its heap apart, object by object, which the kernel does at once.
process.once("beforeExit", () => process.exit());
process.on("exit", () => {
  // Output may fail only now that everything is done, and its last part is written. A command that ends well when it is told to has done so.
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
  // Where a command is called outright nobody sees the others.
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

/** An argument that is missing makes no sense of a call, as far as Ceph's programs tell that from options that they do not know. */
function commanderExitCode({ exitCode, code }: CommanderError, exits: CommandEntry["exits"]): number {
  if (exitCode === 0) return 0;
  if (exits === undefined) return 2;
  return exits !== "one" && code === "commander.missingArgument" ? 22 : 1;
}

/** The reader of the output has gone: that is no failure, and nothing to report. */
function isBrokenPipe({ aborted, reason }: AbortSignal): boolean {
  return aborted && (reason as NodeJS.ErrnoException).code === "EPIPE";
}

/** Usage errors of sub-commands, too, are thrown and not exited on, so that `finally` blocks run. */
function inheriting(command: Command): Command {
  command.exitOverride();
  for (const child of command.commands) inheriting(child);
  return command;
}
