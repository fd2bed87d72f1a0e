import type { CreateOptions } from "../directory/create-image.ts";
import type { Image } from "../image.ts";
import type { Images } from "../images.ts";
import { orUndo } from "../or-undo.ts";
import type { ByteSink } from "./byte-sink.ts";
import type { ByteSource } from "./byte-source.ts";
import { exportDiff } from "./export-diff.ts";
import { type ExportedImage, ExportReader, encodeExportHeader } from "./export-format.ts";
import type { TransferOptions } from "./image-ends.ts";
import { imageTarget } from "./image-target.ts";
import { type ImportDiffOptions, importDiff } from "./import-diff.ts";

/** Writes an image with its snapshots and metadata (export format 2), as `rbd export --export-format 2` does. */
export async function exportWhole(
  images: Images,
  name: string,
  sink: ByteSink,
  { onProgress, ...options }: TransferOptions = {},
): Promise<void> {
  await using image = await images.open(name, { readOnly: true, watch: false });
  await image.assertOneKey();
  const snapshots = image.snapshots.list();
  await sink.write(encodeExportHeader(await exportedImage(image), snapshots.length + 1));
  let from: string | undefined;
  for (const [done, snapshot] of snapshots.entries()) {
    const { name: to, isProtected } = snapshot;
    await using then = await images.open(name, { snapshot: to, readOnly: true, watch: false });
    await exportDiff(then.diff({ from }), { from, to, isProtected }, sink, { ...options, format: 2 });
    onProgress?.(done, snapshots.length + 1);
    from = to;
  }
  await exportDiff(image.diff({ from }), { from }, sink, { ...options, format: 2 });
  onProgress?.(snapshots.length + 1, snapshots.length + 1);
}

/** The parameters to recreate the image. */
export async function exportedImage(image: Image): Promise<ExportedImage> {
  const { order, features, stripeUnit, stripeCount } = image.header;
  return { order, features, stripeUnit, stripeCount, metadata: await image.metadata.list() };
}

/**
 * Creates an image from an export of format 2. If anything fails, the image is removed.
 *
 * @param wanted overrides the export's parameters
 */
export async function importWhole(
  images: Images,
  name: string,
  source: ByteSource,
  wanted: CreateOptions = {},
  { onProgress, ...options }: ImportDiffOptions = {},
): Promise<void> {
  const reader = await ExportReader.open(source);
  const id = await images.create(name, 0, { ...createOptions(reader.image), ...wanted });
  const complete = async () => {
    await using image = await images.openById(id);
    await image.metadata.set(reader.image.metadata);
    let done = 0;
    for (let diff = await reader.next(); diff !== undefined; diff = await reader.next()) {
      await importDiff(diff, imageTarget(image), options);
      onProgress?.(++done, reader.diffs);
    }
  };
  await orUndo(complete, () => removeWhole(images, id));
}

/** Options to create an image like the exported one. */
export function createOptions({ order, features, stripeUnit, stripeCount }: ExportedImage): CreateOptions {
  return {
    ...(order !== undefined && { objectSize: 2 ** order }),
    ...{ features, stripeUnit, stripeCount },
  };
}

/** Removes an incomplete image with its snapshots. */
export async function removeWhole(images: Images, id: string): Promise<void> {
  {
    await using image = await images.openById(id);
    for (const { name: snapshot, isProtected } of image.snapshots.list()) {
      if (isProtected) await image.snapshots.unprotect(snapshot);
    }
    await image.snapshots.purge();
  }
  await images.discard(id);
}
