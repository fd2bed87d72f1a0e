import { resolve } from "node:path";
import { type Command, Option } from "commander";

/** `--dir`: where clusters, VMs and their records live. Call this before anything reads that directory. */
export function withStateDir(command: Command): Command {
  return command
    .option(
      "--dir <dir>",
      "directory of clusters and VMs (default: $SIPHON_STATE_DIR, or siphon's XDG state directory)",
    )
    .hook("preAction", (_, action) => {
      const { dir } = action.opts<{ dir?: string }>();
      if (dir !== undefined) process.env.SIPHON_STATE_DIR = resolve(dir);
    });
}

/** An option that takes a number. Its range is checked later, with all other options. */
export function numberOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser(Number);
}

/** The type of a local cluster's keys. */
export function keyTypeOption(): Option {
  return new Option(
    "--key-type <type>",
    "type of all cephx keys (default: the type that the cluster's Ceph makes, aes256k since 20.2.4 and 19.2.6)",
  ).choices(["aes", "aes256k"]);
}

/** Removes fields that are undefined, because they would override defaults. */
export function given<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

/** Parses a number. Text that is no number becomes NaN, which the check of all options refuses. */
export function toNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** The parts of a comma-separated list. */
export function listOf(text: string | undefined): string[] | undefined {
  return text?.split(",").map((part) => part.trim());
}
