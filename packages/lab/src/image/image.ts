import type { CephClient } from "../ceph/client.ts";
import { LabError } from "../errors.ts";

/** An RBD image, from `rbd info`. */
export interface ImageInfo {
  name: string;
  /** Its internal id. */
  id: string;
  /** Bytes. */
  size: number;
  /** Bytes of one object. */
  objectSize: number;
  features: string[];
}

export interface ImageOptions {
  image: string;
  signal?: AbortSignal;
}

/**
 * Creates an empty image of `size` bytes, with objects of 4 MiB by default; throws SIPHON_IN_USE if the name is taken.
 */
export async function createImage(
  client: CephClient,
  { image, size, objectSize, signal }: ImageOptions & { size: number; objectSize?: number },
): Promise<void> {
  const what = `create the image ${client.spec(image)}`;
  const objects = objectSize === undefined ? [] : ["--object-size", bytes(objectSize)];
  await client.rbd(["create", "--size", bytes(size), ...objects, client.spec(image)], { signal, what });
}

/** Facts of an image; throws SIPHON_NOT_FOUND. */
export async function imageInfo(client: CephClient, { image, signal }: ImageOptions): Promise<ImageInfo> {
  const what = `look at the image ${client.spec(image)}`;
  const info = (await client.rbdJson(["info", client.spec(image)], { signal, what })) as {
    name: string;
    id: string;
    size: number;
    object_size: number;
    features: string[];
  };
  const { name, id, size, object_size, features } = info;
  return { name, id, size, objectSize: object_size, features };
}

/** Whether there is an image of that name. */
export async function imageExists(client: CephClient, options: ImageOptions): Promise<boolean> {
  try {
    await imageInfo(client, options);
    return true;
  } catch (error) {
    if (error instanceof LabError && error.code === "SIPHON_NOT_FOUND") return false;
    throw error;
  }
}

/** Changes the size to `size` bytes. Shrinks only with `shrink`, otherwise throws SIPHON_REFUSED. */
export async function resizeImage(
  client: CephClient,
  { image, size, shrink = false, signal }: ImageOptions & { size: number; shrink?: boolean },
): Promise<void> {
  const before = (await imageInfo(client, { image, signal })).size;
  if (size < before && !shrink) {
    throw new LabError(
      "SIPHON_REFUSED",
      `${client.spec(image)} holds ${before} bytes: making it ${size} bytes would cut data off`,
      { hint: "if that is meant, say --shrink" },
    );
  }
  if (size === before) return;
  const args = ["resize", "--no-progress", "--size", bytes(size), ...(shrink ? ["--allow-shrink"] : [])];
  const what = `resize the image ${client.spec(image)}`;
  await client.rbd([...args, client.spec(image)], { signal, what, timeoutMs: 3_600_000 });
}

/** Removes an image; a missing image is no error. */
export async function removeImage(client: CephClient, { image, signal }: ImageOptions): Promise<void> {
  const what = `remove the image ${client.spec(image)}`;
  try {
    await client.rbd(["rm", "--no-progress", client.spec(image)], { signal, what, timeoutMs: 3_600_000 });
  } catch (error) {
    if (!(error instanceof LabError && error.code === "SIPHON_NOT_FOUND")) throw error;
  }
}

/** Gives an image another name in the same pool; throws SIPHON_IN_USE when that is taken. */
export async function renameImage(
  client: CephClient,
  { image, to, signal }: ImageOptions & { to: string },
): Promise<void> {
  const what = `give the image ${client.spec(image)} the name ${to}`;
  await client.rbd(["rename", client.spec(image), client.spec(to)], { signal, what });
}

/** A size as an argument for `rbd`, which reads plain numbers as MiB. */
function bytes(size: number): string {
  return `${size}B`;
}
