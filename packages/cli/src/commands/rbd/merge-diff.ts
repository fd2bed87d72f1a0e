import { ByteSource, mergeDiffs } from "@siphon/rbd";
import { Command } from "commander";
import { withConnectFlags } from "../../connect.ts";
import { usage } from "./image-spec.ts";
import type { ProgressFlags } from "./output.ts";
import { readPath, withTransferProgress, writePath } from "./transfer-flags.ts";

export function mergeDiffCommand(): Command {
  const command = new Command("merge-diff")
    .summary("merge two consecutive diffs into one file; needs no cluster")
    .argument("[diff1-path]", "first diff (- for standard input)")
    .argument("[diff2-path]", "second diff")
    .argument("[path-name]", "merged diff (- for standard output)")
    .option("--path <path>", "merged diff, instead of the argument")
    .option("--no-progress", "disable progress output")
    .action(
      (first: string | undefined, second: string | undefined, third: string | undefined, flags: Flags) => {
        const { path = third } = flags;
        if (first === undefined) throw usage("first diff was not specified");
        if (second === undefined) throw usage("second diff was not specified");
        if (path === undefined) throw usage("path was not specified", "a file, or - for standard output");
        return withTransferProgress("Merging image diff", flags, (onProgress) =>
          writePath(path, async (sink) => {
            await using earlier = new ByteSource(readPath(first), first);
            await using later = new ByteSource(readPath(second), second);
            await mergeDiffs(earlier, later, sink, onProgress);
          }),
        );
      },
    );
  // All rbd commands accept these flags. This one ignores them, because it needs no cluster.
  return withConnectFlags(command);
}

type Flags = ProgressFlags & { path?: string };
