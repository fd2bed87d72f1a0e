import {
  type EncryptedImage,
  EncryptionError,
  type EncryptionLayer,
  type Image,
  readLayerKeys,
} from "@siphon/rbd";
import { adviceOf } from "@siphon/wire";
import { formatImageSpec, type ImageSpec } from "./image-spec.ts";

/**
 * Opens the decrypted view of an image.
 *
 * @throws EncryptionError if a layer does not open; system errors of a passphrase file
 */
export async function decrypted(
  image: Image,
  spec: ImageSpec,
  layers: readonly EncryptionLayer[],
): Promise<EncryptedImage> {
  using given = await readLayerKeys(layers);
  try {
    const { objectSize, stripeCount } = image.header;
    return await image.openEncrypted(given.keys, { discardUnit: objectSize * stripeCount });
  } catch (error) {
    if (!(error instanceof EncryptionError)) throw error;
    throw new EncryptionError(error.code, `${formatImageSpec(spec)}: ${error.message}`, {
      cause: error,
      ...adviceOf(error),
    });
  }
}
