import { CommanderError } from "commander";
import { takeCephSettings } from "../../src/ceph-settings.ts";
import { meaningDefaultPool } from "../../src/commands/rbd/default-pool.ts";
import { arrangeRbd } from "../../src/commands/rbd/options-last.ts";
import { rbdCommand } from "../../src/commands/rbd.ts";
import { explain, rbdExitCode } from "../../src/failure.ts";

/** The output and the exit code of a command line. */
export interface Answer {
  code: number;
  stdout: string;
  stderr: string;
}

const never = new AbortController().signal;
let turn = Promise.resolve();

// Runs the command lines that the parent process sends, one after the other.
process.on("message", (call: string[] | { args: string[]; env: Record<string, string> }) => {
  const { args, env } = Array.isArray(call) ? { args: call, env: {} } : call;
  turn = turn.then(async () => {
    Object.assign(process.env, env);
    const answer = await run(args);
    for (const name of Object.keys(env)) delete process.env[name];
    process.send!(answer);
  });
});

async function run(args: string[]): Promise<Answer> {
  const { stdout, stderr } = process;
  const written = { stdout: "", stderr: "" };
  const originals = { stdout: stdout.write, stderr: stderr.write };
  const capture = (name: keyof typeof written) =>
    ((text: string | Uint8Array) => {
      written[name] += typeof text === "string" ? text : Buffer.from(text).toString("latin1");
      return true;
    }) as typeof stdout.write;
  stdout.write = capture("stdout");
  stderr.write = capture("stderr");
  try {
    const code = await exitCodeOf(args);
    return { code, ...written };
  } finally {
    stdout.write = originals.stdout;
    stderr.write = originals.stderr;
  }
}

async function exitCodeOf(args: string[]): Promise<number> {
  process.exitCode = 0;
  try {
    await meaningDefaultPool(async () => {
      const arranged = await arrangeRbd(await takeCephSettings(args));
      const command = await rbdCommand(arranged);
      const commands = [command];
      for (const each of commands) {
        each.exitOverride();
        commands.push(...each.commands);
      }
      await command.parseAsync(arranged, { from: "user" });
    });
    return Number(process.exitCode);
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? 0 : error.code === "commander.missingArgument" ? 22 : 1;
    }
    process.stderr.write(`${explain(error, never, true)}\n`);
    return rbdExitCode(error, never);
  } finally {
    process.exitCode = 0;
  }
}
