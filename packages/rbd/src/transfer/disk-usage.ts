import type { Image } from "../image.ts";
import type { ImagePool } from "../image-pool.ts";
import type { DiffSource } from "./image-ends.ts";

/** Space that an image, or one of its snapshots, takes. */
export interface DiskUsage {
  /** Undefined for the current image. */
  readonly snapshot: { readonly id: number; readonly name: string } | undefined;
  /** Provisioned bytes. */
  readonly provisioned: number;
  /** Bytes changed since the previous snapshot, without the parent's. */
  readonly used: number;
}

export interface DiskUsageOptions {
  /** The last snapshot to report; excludes the current image. */
  readonly upTo?: string | undefined;
  /** Report only changes after this snapshot. */
  readonly from?: string | undefined;
  /** Counts bytes, not whole objects: object maps do not have them, so each object is queried. */
  readonly exact?: boolean | undefined;
}

/** Space of an image's snapshots, oldest first, then of the image, as in `rbd du`. */
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
