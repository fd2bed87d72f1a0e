import { type EncryptedImage, EncryptionError, type Image, type LayerKey, readPassphrase } from "@siphon/rbd";
import { formatImageSpec, type ImageSpec } from "./image-spec.ts";

/** What opens one layer of an encrypted image: the image itself, its parent, the parent's parent. */
export interface EncryptionLayer {
  /** Of LUKS; any, if missing. */
  readonly version?: 1 | 2 | undefined;
  /** Its bytes are the passphrase. It is read whenever the image is opened. */
  readonly passphraseFile: string;
}

/**
 * The decrypted side of an image. Throws EncryptionError where a layer does not open, and what the system says of a passphrase file.
 */
export async function decrypted(
  image: Image,
  spec: ImageSpec,
  layers: readonly EncryptionLayer[],
): Promise<EncryptedImage> {
  const keys: LayerKey[] = [];
  try {
    for (const { version, passphraseFile } of layers) {
      keys.push({ version, passphrase: await readPassphrase(passphraseFile) });
    }
    const { objectSize, stripeCount } = image.header;
    return await image.openEncrypted(keys, { discardUnit: objectSize * stripeCount });
  } catch (error) {
    if (!(error instanceof EncryptionError)) throw error;
    throw new EncryptionError(error.code, `${formatImageSpec(spec)}: ${error.message}`, {
      cause: error,
      ...(error.hint !== undefined && { hint: error.hint }),
    });
  } finally {
    for (const { passphrase } of keys) passphrase[Symbol.dispose]();
  }
}
