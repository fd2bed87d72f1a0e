import { completeOrDiscard } from "../directory/complete-or-discard.ts";
import type { CreateOptions } from "../directory/create-image.ts";
import { toRead } from "../image/open-options.ts";
import type { Image } from "../image.ts";
import { imageFeature } from "../image-state.ts";
import type { Images } from "../images.ts";
import type { TransferOptions } from "../transfer/image-ends.ts";
import { imageTarget } from "../transfer/image-target.ts";
import { defaultSparseSize } from "../transfer/sparse.ts";
import { copyChanges } from "./copy-data.ts";
import { ObjectCopier } from "./object-copier.ts";

export interface CopyOptions extends CreateOptions, TransferOptions {
  /** The snapshot to copy. */
  readonly snapshot?: string | undefined;
  /** Runs of zeros of this many bytes are not copied; 4 KiB by default. */
  readonly sparseSize?: number | undefined;
}

/**
 * Creates an image with the content, layout and metadata of another, without its snapshots and parent (`rbd copy`). If
 * anything fails, the copy is removed.
 */
export async function copyImage(
  from: Images,
  name: string,
  to: Images,
  newName: string,
  { snapshot, sparseSize, signal, limits, onProgress, ...wanted }: CopyOptions = {},
): Promise<void> {
  await using source = await from.open(name, toRead(snapshot));
  await source.assertOneKey();
  const id = await to.create(newName, source.size, { ...shapeOf(from, source), ...wanted });
  await completeOrDiscard(to, id, async () => {
    await using target = await to.openById(id);
    await target.metadata.set(await source.metadata.list());
    const copier = await copierFor(sparseSize, from, source, to, target);
    const options = { signal, limits, onProgress, isNew: true, copier, sparseSize };
    await copyChanges(source.diff(), imageTarget(target), options);
  });
}

/** Copies by OSDs find zeros only by blocks of the default size. */
export async function copierFor(
  sparseSize: number | undefined,
  ...images: Parameters<typeof ObjectCopier.between>
): Promise<ObjectCopier | undefined> {
  const isUsual = (sparseSize ?? defaultSparseSize) === defaultSparseSize;
  return isUsual ? ObjectCopier.between(...images) : undefined;
}

/** Default options for a copy: those of the source. */
export function shapeOf({ cluster }: Images, { header }: Image): CreateOptions {
  const { objectSize, stripeUnit, stripeCount, features, dataPoolId, poolId } = header;
  const { operations, nonPrimary, journaling, migrating } = imageFeature;
  return {
    ...{ objectSize, stripeUnit, stripeCount },
    features: features & ~(operations | nonPrimary | journaling | migrating),
    ...(dataPoolId !== poolId && { dataPool: cluster.pools.get(dataPoolId) }),
  };
}
