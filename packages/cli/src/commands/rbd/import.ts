import { open } from "node:fs/promises";
import { basename } from "node:path";
import {
  type CreateOptions,
  completeOrDiscard,
  DiffReader,
  encryptedTarget,
  encryptionRoom,
  type ImagePool,
  type ImportRawOptions,
  imageTarget,
  importDiff,
  importRaw,
  importRawFile,
  importResumably,
  importWhole,
} from "@siphon/rbd";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { interruption } from "../../interruption.ts";
import { type DestinationFlags, destinationSpec, withDestinationFlags } from "./destination.ts";
import { type EncryptionFlags, encryptionOf, isEncrypted, withEncryptionFlags } from "./encryption-flags.ts";
import { parseBytes, type SpecFlags, usage, wholeImageSpec, withSpecFlags } from "./image-spec.ts";
import { type ProgressFlags, withProgress } from "./output.ts";
import { withImage, withPool } from "./run.ts";
import { type ShapeFlags, shape, withImageFormat, withShapeFlags } from "./shape.ts";
import {
  exportFormat,
  isFile,
  openPath,
  readPath,
  sparseSize,
  statPath,
  withTransferProgress,
} from "./transfer-flags.ts";

type Flags = ConnectFlags & SpecFlags & ProgressFlags & { path?: string; sparseSize: string };

interface ImportFlags extends Flags, ShapeFlags, DestinationFlags, EncryptionFlags {
  exportFormat: string;
  estimatedSize?: string;
  resume?: boolean;
}

const { signal } = interruption;

export function importCommand(): Command {
  const command = withShapeFlags(
    new Command("import")
      .summary("import an image from a file")
      .argument("[path-name]", "file (- for standard input)")
      .argument("[dest-image-spec]", "name of the new image (default: the file's name)"),
  )
    .option("--path <path>", "file, instead of the argument")
    .option(
      "--export-format <format>",
      "format of the file; 1: only the data; 2: with snapshots and metadata",
      "1",
    )
    .option("--sparse-size <size>", "leave out zeros in blocks of this size", "4K")
    .option("--estimated-size <size>", "expected size of standard input (default unit: M)")
    .option("--resume", "continue an import that was interrupted; begin one that can be continued")
    .option("--no-progress", "disable progress output")
    .action((first: string | undefined, second: string | undefined, flags: ImportFlags) => {
      const { path = first } = flags;
      if (path === undefined) throw usage("path was not specified", "a file, or - for standard input");
      const { pool, namespace, image = basename(path) } = flags;
      const named = flags.dest ?? (flags.path === undefined ? second : first);
      const spec = destinationSpec(named ?? image, {
        ...{ destPool: flags.destPool ?? pool, destNamespace: flags.destNamespace ?? namespace },
      });
      const isWhole = exportFormat(flags.exportFormat) === 2;
      if ([isWhole, isEncrypted(flags), flags.resume].filter(Boolean).length > 1) {
        throw usage("--export-format 2, --resume and encryption do not go together");
      }
      const wanted = shape(flags);
      const options = { signal, sparseSize: sparseSize(flags.sparseSize) };
      return withPool(flags, spec, (images) => {
        if (isWhole) {
          return withProgress("Importing image", flags, async (onProgress) => {
            await using source = await openPath(path);
            await importWhole(images, spec.image, source, wanted, { ...options, onProgress });
          });
        }
        return withTransferProgress("Importing image", flags, async (onProgress) => {
          const carrying = { ...options, onProgress };
          if (!flags.resume) return importBare(images, spec.image, path, wanted, carrying, flags);
          if (!(await isFile(path))) throw usage("only an import of a file can be gone on with");
          await importResumably(images, spec.image, path, wanted, carrying);
        });
      });
    });
  return withConnectFlags(withSpecFlags(withDestinationFlags(withEncryptionFlags(withImageFormat(command)))));
}

export function importDiffCommand(): Command {
  const command = new Command("import-diff")
    .summary("apply a file of changes to an image")
    .argument("[path-name]", "file (- for standard input)")
    .argument("[image-spec]")
    .option("--path <path>", "file, instead of the argument")
    .option("--sparse-size <size>", "leave out zeros in blocks of this size", "4K")
    .option("--no-progress", "disable progress output")
    .action((first: string | undefined, second: string | undefined, flags: Flags) => {
      const { path = first } = flags;
      if (path === undefined) throw usage("path was not specified", "a file, or - for standard input");
      const spec = wholeImageSpec(flags.path === undefined ? second : first, flags);
      return withImage(flags, spec, {}, (image) =>
        withTransferProgress("Importing image diff", flags, async (onProgress) => {
          await using source = await openPath(path);
          const options = { onProgress, signal, sparseSize: sparseSize(flags.sparseSize) };
          await importDiff(await DiffReader.open(source), imageTarget(image), options);
        }),
      );
    });
  return withConnectFlags(withSpecFlags(command));
}

/** Creates an image from raw bytes; removes it again if anything fails. */
async function importBare(
  images: ImagePool,
  name: string,
  path: string,
  wanted: CreateOptions,
  carrying: ImportRawOptions,
  flags: ImportFlags,
): Promise<void> {
  const pieceBytes = wanted.objectSize ?? 4 * 1024 * 1024;
  using given = await encryptionOf(flags);
  if (given !== undefined && given.keys.length !== 1) throw usage("a new image has one encryption format");
  const [key] = given?.keys ?? [];
  const encryption = key && { version: key.version ?? 2, passphrase: key.passphrase };
  const expectedSize = flags.estimatedSize === undefined ? undefined : parseBytes(flags.estimatedSize, "M");
  const size = path === "-" ? (expectedSize ?? pieceBytes) : (await statPath(path)).size;
  const room = encryption === undefined ? 0 : encryptionRoom(pieceBytes * (wanted.stripeCount ?? 1));
  const id = await images.create(name, size + room, wanted);
  await completeOrDiscard(images, id, async () => {
    await using image = await images.openById(id);
    const target = encryption === undefined ? imageTarget(image) : await encryptedTarget(image, encryption);
    const options = { ...carrying, pieceBytes, ...(encryption && { sparseSize: 0 }) };
    if (await isFile(path)) {
      await using file = await open(path);
      await importRawFile(file, target, options);
    } else {
      await importRaw(readPath(path), target, { ...options, ...(expectedSize && { expectedSize }) });
    }
  });
}
