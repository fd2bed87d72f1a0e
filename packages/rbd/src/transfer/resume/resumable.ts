import { access, open } from "node:fs/promises";
import type { Cluster } from "@siphon/rados";
import { copyChanges } from "../../copy/copy-data.ts";
import { type CopyOptions, copierFor, shapeOf } from "../../copy/copy-image.ts";
import type { CreateOptions } from "../../directory/create-image.ts";
import { RbdError } from "../../errors.ts";
import { toRead } from "../../image/open-options.ts";
import type { Image } from "../../image.ts";
import type { Images } from "../../images.ts";
import type { DiffSource, TransferOptions } from "../image-ends.ts";
import { imageTarget } from "../image-target.ts";
import { exportRawFile, type ImportRawOptions, importRawFile } from "../raw-image.ts";
import { cursorKey, fileCursor, metadataCursor } from "./cursor.ts";
import { inChunks } from "./in-chunks.ts";
import { fileState, imageState } from "./source-state.ts";

/**
 * Transfers that continue an interrupted one if the source is unchanged; call them again with the same arguments. After
 * a failure the transferred data stays.
 */

/**
 * Writes the image's data to a file; until it is complete, a file with the cursor is next to it.
 *
 * @throws TransferError SIPHON_TRANSFER_MISMATCH; Error EEXIST for a file that is not from such an export
 */
export async function exportResumably(
  cluster: Cluster,
  image: Image,
  path: string,
  options: TransferOptions = {},
): Promise<void> {
  await image.assertOneKey();
  const source = await imageState(cluster, image);
  const cursors = fileCursor(path + cursorSuffix);
  const begun = (await exists(path)) ? await cursors.load() : undefined;
  if (begun === undefined) await cursors.clear();
  await using file = await open(path, begun === undefined ? "wx" : "r+", 0o644);
  // Zeros are not written, so the file must be a hole after the cursor.
  await file.truncate(begun?.position ?? 0);
  const diff = image.diff();
  await inChunks(source, cursors, async (start, end) => {
    await exportRawFile(diff, file, { ...options, start, end, pieceBytes: source.unitBytes });
    await file.datasync();
  });
  await file.truncate(source.size);
}

/** Creates an image from a file of raw data; the cursor is in its metadata. */
export async function importResumably(
  to: Images,
  name: string,
  path: string,
  wanted: CreateOptions,
  options: Omit<ImportRawOptions, "start" | "end"> = {},
): Promise<void> {
  const source = await fileState(path);
  await using target = await begin(to, name, source.size, wanted);
  await using file = await open(path);
  const into = imageTarget(target);
  await inChunks(source, metadataCursor(target), (start, end) =>
    importRawFile(file, into, { ...options, start, end }),
  );
}

/** As `ImagePool.copy`; the cursor is in the copy's metadata. */
export async function copyResumably(
  from: Images,
  name: string,
  to: Images,
  newName: string,
  { snapshot, sparseSize, signal, limits, onProgress, ...wanted }: CopyOptions = {},
): Promise<void> {
  await using image = await from.open(name, toRead(snapshot));
  const source = await imageState(from.cluster, image);
  await using target = await begin(to, newName, source.size, { ...shapeOf(from, image), ...wanted });
  const metadata = await image.metadata.list();
  metadata.delete(cursorKey);
  await target.metadata.set(metadata);
  const into = imageTarget(target);
  const copier = await copierFor(sparseSize, from, image, to, target);
  const diff = image.diff();
  await inChunks(source, metadataCursor(target), async (start, end, isBegun) => {
    // An earlier process may have copied bytes that are zeros now.
    if (isBegun) await into.writeZeroes(start, end - start);
    await copyChanges(between(diff, start, end), into, {
      ...{ signal, limits, isNew: true, copier, sparseSize },
      onProgress: (done, total) => onProgress?.(Math.min(done, end), total),
    });
  });
}

const cursorSuffix = ".siphon-transfer";

/** The interrupted image, or a new one. */
async function begin(to: Images, name: string, size: number, wanted: CreateOptions): Promise<Image> {
  try {
    await to.create(name, size, wanted);
  } catch (error) {
    if (!(error instanceof RbdError && error.code === "SIPHON_RBD_EXISTS")) throw error;
    const image = await to.open(name);
    if ((await metadataCursor(image).load()) !== undefined) return image;
    await image.close();
    throw error;
  }
  return to.open(name);
}

function between(source: DiffSource, start: number, end: number): DiffSource {
  return {
    size: source.size,
    read: (offset, length, into) => source.read(offset, length, into),
    extents: () => source.extents(start, end),
  };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
