import type { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { type LoadFlags, withRequestFlags } from "../../load-flags.ts";

export interface MeasureFlags extends ConnectFlags, Omit<LoadFlags, "seconds"> {
  measure?: boolean;
  disk?: string;
  pool?: string;
  namespace?: string;
  loadSeconds?: string;
  live?: boolean;
  out: string;
}

export function withMeasureFlags(command: Command): Command {
  const what = command
    .optionsGroup("Measure what the changes are worth:")
    .option(
      "--measure",
      "start test VMs with its settings as they are, with each change, and with all, on a test image that is removed afterwards: in " +
        "--pool of the cluster that is named, else on a small cluster of this machine. The VM itself is left alone",
    )
    .option("--disk <name>", "the disk that is measured (default: the first that librbd serves)")
    .option("--pool <name>", "pool for the test image")
    .option("--namespace <name>", "namespace in the pool")
    .option("--repeat <n>", "blocks; in each, the VM of every change is booted once")
    .option("--live", "show the run while it goes on, on a page of this machine")
    .option("--load-seconds <s>", "seconds measured of each change in a block");
  return withRequestFlags(what)
    .option("--size <size>", "bytes of the test image (default: scaled to this machine)")
    .option("--seed <n>", "seed of what is drawn at random, to repeat a run exactly")
    .option("--out <dir>", "where the run and its report are written", "runs");
}
