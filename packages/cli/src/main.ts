import { version } from "@siphon/wire";
import { Command, CommanderError } from "commander";
import { commands } from "./commands.ts";
import { errnoExitCode, exitCodeOf, explain } from "./failure.ts";
import { interruption } from "./interruption.ts";

main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});

async function main(args: string[]): Promise<number> {
  const program = new Command("siphon")
    .description("VMs on Ceph, measured and made fast.")
    .version(version, "-V, --version")
    .exitOverride();
  const at = args.findIndex((arg) => !arg.startsWith("-"));
  const called = commands.find((entry) => entry.name === args[at]);
  const own = args.slice(at + 1);
  const arranged = (await called?.arrange?.(own)) ?? own;
  for (const entry of commands) {
    const command = entry === called ? await entry.load(arranged) : new Command(entry.name);
    program.addCommand(inheriting(command.summary(entry.summary)));
  }
  try {
    await program.parseAsync([...args.slice(0, at + 1), ...arranged], { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : called?.exitsWithErrno ? 1 : 2;
    process.stderr.write(`${explain(error, interruption.signal)}\n`);
    return (called?.exitsWithErrno ? errnoExitCode : exitCodeOf)(error, interruption.signal);
  } finally {
    interruption.disarm();
  }
}

/** Usage errors of sub-commands, too, are thrown and not exited on, so that `finally` blocks run. */
function inheriting(command: Command): Command {
  command.exitOverride();
  for (const child of command.commands) inheriting(child);
  return command;
}
