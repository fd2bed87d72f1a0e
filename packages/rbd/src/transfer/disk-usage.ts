import type { Image } from "../image.ts";
import type { ImagePool } from "../image-pool.ts";
import type { DiffSource } from "./image-ends.ts";

/** Space that an image, or one of its snapshots, takes. */
export interface DiskUsage {
  /** Undefined for the image as it is now. */
  readonly snapshot: { readonly id: number; readonly name: string } | undefined;
  /** Bytes that it could have. */
  readonly provisioned: number;
  /** Bytes that changed since the snapshot before; a parent's do not count. */
  readonly used: number;
}

export interface DiskUsageOptions {
  /** The last snapshot that counts; the image as it is now does not then. */
  readonly upTo?: string | undefined;
  /** Only what came after this snapshot. */
  readonly from?: string | undefined;
  /** Counts bytes, not whole objects: object maps do not have them, so each object is queried. */
  readonly exact?: boolean | undefined;
}

/** Space that the snapshots of an image take, oldest first, and then the image, as `rbd du` shows it. */
export async function* diskUsage(
  images: ImagePool,
  image: Image,
  { upTo, from, exact = false }: DiskUsageOptions = {},
): AsyncGenerator<DiskUsage, void, undefined> {
  if (upTo !== undefined) image.snapshots.named(upTo);
  const start = from === undefined ? 0 : image.snapshots.named(from).id;
  const options = { wholeObject: !exact, withParent: false };
  let before = from;
  for (const { id, name, size } of image.snapshots.list()) {
    if (id <= start) continue;
    await using then = await images.openById(image.id, { snapshot: name, readOnly: true, watch: false });
    const used = await bytesOf(then.diff({ ...options, from: before }));
    yield { snapshot: { id, name }, provisioned: size, used };
    if (name === upTo) return;
    before = name;
  }
  const used = await bytesOf(image.diff({ ...options, from: before }));
  yield { snapshot: undefined, provisioned: image.size, used };
}

async function bytesOf(diff: DiffSource): Promise<number> {
  let bytes = 0;
  for await (const { length, exists } of diff.extents()) if (exists) bytes += length;
  return bytes;
}
