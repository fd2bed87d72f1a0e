import { resolve } from "node:path";
import { type Command, Option } from "commander";

/** `--dir`: where clusters, VMs and their records live. Must be read before anything looks for them. */
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

/** An option that takes a number; whether it makes sense is checked with all others. */
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

/** Without the fields that are undefined, which would otherwise beat a default. */
export function given<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

/** Numbers are checked with all other options: what is none becomes NaN, which no option takes. */
export function toNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** The parts of a comma-separated list. */
export function listOf(text: string | undefined): string[] | undefined {
  return text?.split(",").map((part) => part.trim());
}
