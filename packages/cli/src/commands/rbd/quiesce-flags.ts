import type { Quiescing } from "@siphon/rbd";
import type { Command } from "commander";

/** Whether a snapshot first quiesces the clients that have the image open. */
export interface QuiesceFlags {
  skipQuiesce?: boolean;
  ignoreQuiesceError?: boolean;
}

export function withQuiesceFlags(command: Command): Command {
  return command
    .option("--skip-quiesce", "do not ask clients to quiesce")
    .option("--ignore-quiesce-error", "continue if a client cannot quiesce");
}

export function quiescing({ skipQuiesce, ignoreQuiesceError }: QuiesceFlags): Quiescing {
  return skipQuiesce ? "skipped" : ignoreQuiesceError ? "attempted" : "required";
}
