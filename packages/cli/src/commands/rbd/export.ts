import {
  exportDiff,
  exportRaw,
  exportRawFile,
  exportResumably,
  exportWhole,
  plainReader,
  toRead,
} from "@siphon/rbd";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { interruption } from "../../interruption.ts";
import { type EncryptionFlags, encryptionOf, isEncrypted, withEncryptionFlags } from "./encryption-flags.ts";
import { type ImageSpec, imageSpec, type SpecFlags, usage, withSpecFlags } from "./image-spec.ts";
import { type ProgressFlags, withProgress } from "./output.ts";
import { withImage, withPool } from "./run.ts";
import { exportFormat, newFile, withTransferProgress, writePath } from "./transfer-flags.ts";

type Flags = ConnectFlags & SpecFlags & ProgressFlags & { path?: string };

interface ExportFlags extends Flags, EncryptionFlags {
  exportFormat: string;
  resume?: boolean;
}

const { signal } = interruption;

export function exportCommand(): Command {
  const command = new Command("export")
    .summary("export an image to a file")
    .argument("[source-image-or-snap-spec]")
    .argument("[path-name]", "file (- for standard output)")
    .option("--path <path>", "file, instead of the argument")
    .option("--export-format <format>", "1: only the data; 2: with snapshots and metadata", "1")
    .option("--resume", "continue an export that was interrupted; begin one that can be continued")
    .option("--no-progress", "disable progress output")
    .action((first: string | undefined, second: string | undefined, flags: ExportFlags) => {
      const { spec, path } = sourceAndPath(first, second, flags);
      if (path === undefined) throw usage("path was not specified", "a file, or - for standard output");
      const isWhole = exportFormat(flags.exportFormat) === 2;
      if ([isWhole, isEncrypted(flags), flags.resume].filter(Boolean).length > 1) {
        throw usage("--export-format 2, --resume and encryption do not go together");
      }
      if (flags.resume && path === "-") throw usage("only an export to a file can be gone on with");
      return isWhole ? exportAll(spec, path, flags) : exportBare(spec, path, flags);
    });
  return withConnectFlags(withSpecFlags(withEncryptionFlags(command)));
}

function exportAll(spec: ImageSpec, path: string, flags: Flags): Promise<void> {
  return withPool(flags, spec, (images) =>
    withProgress("Exporting image", flags, (onProgress) =>
      writePath(path, (sink) => exportWhole(images, spec.image, sink, { onProgress, signal })),
    ),
  );
}

async function exportBare(spec: ImageSpec, path: string, flags: ExportFlags): Promise<void> {
  const encryption = await encryptionOf(flags);
  using _ = encryption;
  await withImage(flags, spec, toRead(spec.snapshot), async (image, cluster) => {
    const { objectSize, stripeCount } = image.header;
    if (encryption === undefined) await image.assertOneKey();
    const source =
      encryption === undefined ? image.diff() : plainReader(await image.openEncrypted(encryption.keys));
    await withTransferProgress("Exporting image", flags, (onProgress) => {
      const options = { onProgress, signal, pieceBytes: objectSize * stripeCount };
      if (flags.resume) return newFile(path, () => exportResumably(cluster, image, path, options));
      return writePath(
        path,
        (sink) => exportRaw(source, sink, options),
        (file) => exportRawFile(source, file, options),
      );
    });
  });
}

export function exportDiffCommand(): Command {
  const command = new Command("export-diff")
    .summary("export the changes of an image to a file")
    .argument("[source-image-or-snap-spec]")
    .argument("[path-name]", "file (- for standard output)")
    .option("--path <path>", "file, instead of the argument")
    .option("--from-snap <snapshot>", "changes since this snapshot (default: since the image was created)")
    .option("--whole-object", "report objects with any change as a whole")
    .option("--no-progress", "disable progress output")
    .action((first: string | undefined, second: string | undefined, flags: ExportDiffFlags) => {
      const { spec, path } = sourceAndPath(first, second, flags);
      if (path === undefined) throw usage("path was not specified", "a file, or - for standard output");
      const { fromSnap: from, wholeObject } = flags;
      return withImage(flags, spec, toRead(spec.snapshot), (image) =>
        withTransferProgress("Exporting image", flags, async (onProgress) => {
          await image.assertOneKey();
          const source = image.diff({ from, wholeObject });
          return writePath(path, (sink) =>
            exportDiff(source, { from, to: spec.snapshot }, sink, { onProgress, signal }),
          );
        }),
      );
    });
  return withConnectFlags(withSpecFlags(command));
}

type ExportDiffFlags = Flags & { fromSnap?: string; wholeObject?: boolean };

/** The source and the path, each given by its argument or by its option. */
function sourceAndPath(
  first: string | undefined,
  second: string | undefined,
  flags: Flags,
): { spec: ImageSpec; path: string | undefined } {
  const isNamed = flags.image !== undefined;
  const spec = imageSpec(isNamed ? undefined : first, flags);
  return { spec, path: flags.path ?? (isNamed ? first : second) };
}
