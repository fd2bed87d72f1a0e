import { toRead } from "@siphon/rbd";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { bytesText } from "../rados/format.ts";
import { type SpecFlags, wholeImageSpec, withSpecFlags } from "./image-spec.ts";
import type { ProgressFlags } from "./output.ts";
import { withImage } from "./run.ts";
import { sparseSize, withTransferProgress } from "./transfer-flags.ts";

type Flags = ConnectFlags & SpecFlags & ProgressFlags & { sparseSize: string; dryRun?: boolean };

export function sparsifyCommand(): Command {
  const command = new Command("sparsify")
    .summary("free the space of zeros in an image")
    .argument("[image-spec]")
    .option("--sparse-size <size>", "free zeros in blocks of this size", "4K")
    .option("--dry-run", "only print the number of bytes; this reads the whole image")
    .option("--no-progress", "disable progress output")
    .action((text: string | undefined, flags: Flags) => {
      const spec = wholeImageSpec(text, flags);
      const size = sparseSize(flags.sparseSize);
      const options = flags.dryRun ? toRead() : {};
      return withImage(flags, spec, options, async (image) => {
        const inBytes =
          (onProgress: (done: number, total: number) => void) => (done: number, total: number) =>
            onProgress((image.size * done) / total, image.size);
        if (!flags.dryRun) {
          return withTransferProgress("Image sparsify", flags, (onProgress) =>
            image.sparsify({ sparseSize: size, onProgress: inBytes(onProgress) }),
          );
        }
        let found = { bytes: 0, objects: 0, emptyObjects: 0 };
        await withTransferProgress("Looking for zeros", flags, async (onProgress) => {
          found = await image.findZeros(size, inBytes(onProgress));
        });
        const { bytes, objects, emptyObjects } = found;
        process.stdout.write(
          `would give back ${bytesText(bytes)} of zeros in ${objects} objects of ${spec.pool}/${spec.image}, ` +
            `of which ${emptyObjects} have nothing else\n`,
        );
      });
    });
  return withConnectFlags(withSpecFlags(command));
}
