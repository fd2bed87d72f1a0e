import {
  type BackendName,
  costInWords,
  datedDirectory,
  LabError,
  type Profile,
  profilePid,
  profileProcess,
  saturation,
  symbolAdvice,
  writeProfile,
} from "@siphon/lab";
import { Command, Option } from "commander";
import { interruption } from "../interruption.ts";
import { terminalSteps } from "../progress.ts";

interface Flags {
  seconds: string;
  interval: string;
  backend: BackendName | "auto";
  out: string;
  json?: boolean;
}

export function profileCommand(): Command {
  return new Command("profile")
    .description(
      "Take a wallclock profile of a process: show where all its threads spend their time, running or waiting, and\n" +
        "which thread is the limit. Writes call trees, folded stacks, a speedscope file and a page with a flame graph.",
    )
    .argument("<pid or vm>", "a process, or a VM of siphon by its name")
    .option("--seconds <s>", "seconds to sample", "10")
    .option("--interval <ms>", "milliseconds between two samples", "50")
    .addOption(
      new Option(
        "--backend <name>",
        "program that reads the stacks (default: the first of these that is installed)",
      )
        .choices(["auto", "eu-stack", "gdb", "perf"])
        .default("auto"),
    )
    .option("--out <dir>", "directory for profiles, with a subdirectory for each", "profiles")
    .option("--json", "print the profile as JSON")
    .addHelpText(
      "after",
      "\nThe process continues while it is sampled, a little slower: the output says by how much. Ctrl-C ends the\n" +
        "sampling early; the samples taken until then are written.",
    )
    .action(takeProfile);
}

async function takeProfile(target: string, flags: Flags): Promise<void> {
  const seconds = positive("--seconds", flags.seconds);
  const intervalMs = positive("--interval", flags.interval);
  const pid = await profilePid(target);
  const { signal } = interruption;
  const profile = await terminalSteps()(`Sample process ${pid}`, (report) =>
    profileProcess(pid, { seconds, intervalMs, backend: flags.backend, signal, report }),
  );
  const directory = datedDirectory(flags.out, `${profile.process.name}-${pid}`, new Date(profile.started));
  const files = await writeProfile(directory, profile);
  if (flags.json) process.stdout.write(`${JSON.stringify(profile, null, 2)}\n`);
  else
    process.stdout.write(
      `${summary(profile)}\n\nFlame graph: ${files.html}\nCall trees:  ${files.forward}, ${files.inverse}\n`,
    );
  signal.throwIfAborted();
}

function summary(profile: Profile): string {
  const ended = profile.cutShort && `Sampling ended early: ${profile.cutShort}.`;
  const lines = [...saturation(profile), ended, costInWords(profile), ...symbolAdvice(profile.unnamed)];
  return lines.filter((line) => line !== undefined).join("\n");
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new LabError("SIPHON_USAGE", `${option} needs a number above 0, not ${JSON.stringify(text)}`);
}
