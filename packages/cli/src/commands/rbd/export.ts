import { exportDiff, exportRaw, exportRawFile, exportWhole } from "@siphon/rbd";
import { Command } from "commander";
import { type ConnectFlags, withConnectFlags } from "../../connect.ts";
import { interruption } from "../../interruption.ts";
import { imageSpec, type SpecFlags, withSpecFlags } from "./image-spec.ts";
import { type ProgressFlags, withProgress } from "./output.ts";
import { withImage, withPool } from "./run.ts";
import { exportFormat, withTransferProgress, writePath } from "./transfer-flags.ts";

type Flags = ConnectFlags & SpecFlags & ProgressFlags;

const { signal } = interruption;

export function exportCommand(): Command {
  const command = new Command("export")
    .summary("export an image to a file")
    .argument("<source-image-or-snap-spec>")
    .argument("[path-name]", "file (- for standard output; default: the image's name)")
    .option("--export-format <format>", "1: the bare image; 2: with snapshots and metadata", "1")
    .option("--no-progress", "disable progress output")
    .action(async (text: string, path: string | undefined, flags: Flags & { exportFormat: string }) => {
      const spec = imageSpec(text, flags);
      const file = path ?? spec.image;
      if (exportFormat(flags.exportFormat) === 2) {
        await withPool(flags, spec, (images) =>
          withProgress("Exporting image", flags, (onProgress) =>
            writePath(file, (sink) => exportWhole(images, spec.image, sink, { onProgress, signal })),
          ),
        );
        return;
      }
      const { snapshot } = spec;
      await withImage(flags, spec, { readOnly: true, watch: false, ...(snapshot && { snapshot }) }, (image) =>
        withTransferProgress("Exporting image", flags, (onProgress) => {
          const { objectSize, stripeCount } = image.header;
          const options = { onProgress, signal, pieceBytes: objectSize * stripeCount };
          const source = image.diff();
          return writePath(
            file,
            (sink) => exportRaw(source, sink, options),
            (handle) => exportRawFile(source, handle, options),
          );
        }),
      );
    });
  return withConnectFlags(withSpecFlags(command));
}

export function exportDiffCommand(): Command {
  const command = new Command("export-diff")
    .summary("export what changed in an image to a file")
    .argument("<source-image-or-snap-spec>")
    .argument("<path-name>", "file (- for standard output)")
    .option("--from-snap <snapshot>", "what changed since this snapshot (default: since the image was made)")
    .option("--whole-object", "whole objects of which anything changed")
    .option("--no-progress", "disable progress output")
    .action((text: string, path: string, flags: Flags & { fromSnap?: string; wholeObject?: boolean }) => {
      const spec = imageSpec(text, flags);
      const { snapshot } = spec;
      const { fromSnap: from, wholeObject } = flags;
      return withImage(
        flags,
        spec,
        { readOnly: true, watch: false, ...(snapshot && { snapshot }) },
        (image) =>
          withTransferProgress("Exporting image", flags, (onProgress) => {
            const source = image.diff({ from, wholeObject });
            return writePath(path, (sink) =>
              exportDiff(source, { from, to: snapshot }, sink, { onProgress, signal }),
            );
          }),
      );
    });
  return withConnectFlags(withSpecFlags(command));
}
