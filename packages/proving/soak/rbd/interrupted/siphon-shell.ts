import { rbdCommand } from "../../../../cli/src/commands/rbd.ts";
import { errnoExitCode, explain } from "../../../../cli/src/failure.ts";
import { interruption } from "../../../../cli/src/interruption.ts";

/** The result of a command line. */
export interface Answer {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Each message holds the arguments of `siphon rbd`. Runs one at a time. */
process.on("message", async (args: string[]) => {
  using out = captured(process.stdout);
  using err = captured(process.stderr);
  process.exitCode = 0;
  let thrown: number | undefined;
  try {
    const command = (await rbdCommand(args)).exitOverride();
    await command.parseAsync(args, { from: "user" });
  } catch (error) {
    err.parts.push(explain(error, interruption.signal));
    thrown = errnoExitCode(error, interruption.signal);
  }
  const exitCode = thrown ?? Number(process.exitCode ?? 0);
  process.exitCode = 0;
  process.send!({ exitCode, stdout: out.parts.join(""), stderr: err.parts.join("") } satisfies Answer);
});

function captured(stream: NodeJS.WriteStream): Disposable & { parts: string[] } {
  const { write } = stream;
  const parts: string[] = [];
  stream.write = (chunk: string | Uint8Array) => {
    parts.push(typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("latin1"));
    return true;
  };
  return {
    parts,
    [Symbol.dispose]() {
      stream.write = write;
    },
  };
}
