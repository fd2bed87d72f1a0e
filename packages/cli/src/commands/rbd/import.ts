import { open, stat } from "node:fs/promises";
import { basename } from "node:path";
import {
  type CreateOptions,
  DiffReader,
  type ImagePool,
  imageTarget,
  importDiff,
  importRaw,
  importRawFile,
  importWhole,
} from "@siphon/rbd";
import { Command } from "commander";
import { type ConnectFlags, withConnectFlags } from "../../connect.ts";
import { interruption } from "../../interruption.ts";
import { imageSpec, type SpecFlags, withSpecFlags } from "./image-spec.ts";
import { type ProgressFlags, withProgress } from "./output.ts";
import { withImage, withPool } from "./run.ts";
import { type ShapeFlags, shape, withShapeFlags } from "./shape.ts";
import {
  exportFormat,
  isFile,
  openPath,
  readPath,
  sparseSize,
  withTransferProgress,
} from "./transfer-flags.ts";

type Flags = ConnectFlags & SpecFlags & ProgressFlags & { sparseSize: string };

const { signal } = interruption;

export function importCommand(): Command {
  const command = withShapeFlags(
    new Command("import")
      .summary("import an image from a file")
      .argument("<path-name>", "file (- for standard input)")
      .argument("[dest-image-spec]", "the image to be made (default: the file's name)"),
  )
    .option("--export-format <format>", "of the file; 1: the bare image; 2: with snapshots and metadata", "1")
    .option("--sparse-size <size>", "zeros of so many bytes are left out", "4K")
    .option("--no-progress", "disable progress output")
    .action(
      (path: string, text: string | undefined, flags: Flags & ShapeFlags & { exportFormat: string }) => {
        const spec = imageSpec(text ?? (flags.image === undefined ? basename(path) : undefined), flags);
        const wanted = shape(flags, undefined);
        const options = { signal, sparseSize: sparseSize(flags.sparseSize) };
        return withPool(flags, spec, (images) =>
          exportFormat(flags.exportFormat) === 1
            ? withTransferProgress("Importing image", flags, (onProgress) =>
                importBare(images, spec.image, path, wanted, { ...options, onProgress }),
              )
            : withProgress("Importing image", flags, async (onProgress) => {
                await using source = await openPath(path);
                await importWhole(images, spec.image, source, wanted, { ...options, onProgress });
              }),
        );
      },
    );
  return withConnectFlags(withSpecFlags(command));
}

export function importDiffCommand(): Command {
  const command = new Command("import-diff")
    .summary("apply a file of changes to an image")
    .argument("<path-name>", "file (- for standard input)")
    .argument("[image-spec]")
    .option("--sparse-size <size>", "zeros of so many bytes are left out", "4K")
    .option("--no-progress", "disable progress output")
    .action((path: string, text: string | undefined, flags: Flags) =>
      withImage(flags, imageSpec(text, flags), {}, (image) =>
        withTransferProgress("Importing image diff", flags, async (onProgress) => {
          await using source = await openPath(path);
          const options = { onProgress, signal, sparseSize: sparseSize(flags.sparseSize) };
          await importDiff(await DiffReader.open(source), imageTarget(image), options);
        }),
      ),
    );
  return withConnectFlags(withSpecFlags(command));
}

/** Makes an image of the bare bytes; what was made is removed if anything fails. */
async function importBare(
  images: ImagePool,
  name: string,
  path: string,
  wanted: CreateOptions,
  options: { onProgress: (done: number, total: number) => void; signal: AbortSignal; sparseSize: number },
): Promise<void> {
  const pieceBytes = wanted.objectSize ?? 4 * 1024 * 1024;
  const size = path === "-" ? pieceBytes : (await stat(path)).size;
  await images.create(name, size, wanted);
  try {
    await using image = await images.open(name);
    const target = imageTarget(image);
    if (await isFile(path)) {
      await using file = await open(path);
      await importRawFile(file, target, { ...options, pieceBytes });
    } else {
      await importRaw(readPath(path), target, { ...options, pieceBytes });
    }
  } catch (error) {
    await images.remove(name);
    throw error;
  }
}
