import type { Cluster } from "@siphon/rados";
import { type EncryptedImage, type Image, ImagePool, type OpenOptions, RbdError } from "@siphon/rbd";
import { SiphonError } from "@siphon/wire";
import type { ConnectFlags } from "../../cluster-options.ts";
import { connectCluster } from "../../connect.ts";
import { type EncryptionFlags, encryptionOf } from "./encryption-flags.ts";
import type { ImageSpec } from "./image-spec.ts";

/** Runs an action on the images of a pool or namespace. Fails if that does not exist. */
export async function withPool<T>(
  flags: ConnectFlags,
  { pool, namespace }: { pool: string; namespace: string },
  action: (images: ImagePool, cluster: Cluster) => Promise<T>,
): Promise<T> {
  await using cluster = await connectCluster(flags);
  return await action(await openPool(cluster, { pool, namespace }), cluster);
}

/** Opens the images of a pool or namespace. Fails if that does not exist. */
export async function openPool(
  cluster: Cluster,
  { pool, namespace }: { pool: string; namespace: string },
): Promise<ImagePool> {
  const images = await ImagePool.open(cluster, pool, { namespace });
  if (namespace !== "" && !(await images.namespaces.exists(namespace))) {
    throw new RbdError("SIPHON_RBD_NO_POOL", `there is no namespace ${namespace} in pool ${pool}`, {
      hint: `list them with: siphon rbd namespace ls ${pool}`,
    });
  }
  return images;
}

/** Whether the error comes from an image that siphon does not support. A list then goes on without this image. */
export function isUnsupported(error: unknown): error is RbdError {
  return error instanceof RbdError && error.code === "SIPHON_RBD_UNSUPPORTED";
}

/** Prints on standard error why a list lacks something about an image. */
export function warnOf({ message }: Error): void {
  process.stderr.write(`warning: ${message}\n`);
}

/**
 * For lists, as the handler of a rejected promise: reduces an image that siphon does not support to a warning. Skips an image
 * that no longer exists, or whose removal was interrupted.
 */
export function onlyWarning(error: unknown): undefined {
  if (error instanceof SiphonError && (error.code === "SIPHON_RBD_NO_IMAGE" || error.code === "ENOENT"))
    return;
  if (!isUnsupported(error)) throw error;
  warnOf(error);
}

/** Runs an action on a writable image, with its encryption loaded if the flags name keys. */
export async function withLoadedImage<T>(
  flags: ConnectFlags & EncryptionFlags,
  spec: ImageSpec,
  action: (image: Image, encrypted: EncryptedImage | undefined) => Promise<T>,
): Promise<T> {
  using encryption = await encryptionOf(flags);
  return await withImage(flags, spec, {}, async (image) =>
    action(image, encryption && (await image.openEncrypted(encryption.keys))),
  );
}

/** Opens an image, runs an action on it, and closes it. */
export function withImage<T>(
  flags: ConnectFlags,
  spec: ImageSpec,
  options: OpenOptions,
  action: (image: Image, cluster: Cluster) => Promise<T>,
): Promise<T> {
  return withPool(flags, spec, async (images, cluster) => {
    const opened = spec.byId ? images.openById(spec.image, options) : images.open(spec.image, options);
    await using image = await opened;
    return await action(image, cluster);
  });
}
