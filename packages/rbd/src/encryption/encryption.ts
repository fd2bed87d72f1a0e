import type { Secret } from "@siphon/wire";
import {
  flushImage,
  type ImageOperations,
  readBytes,
  writeBytes,
  zeroBytes,
} from "../io/image-operations.ts";
import { markAsClone } from "./clone-magic.ts";
import { EncryptedImage, type EncryptedImageOptions } from "./encrypted-image.ts";
import { EncryptionError } from "./encryption-error.ts";
import { assertFits } from "./encryption-layers.ts";
import { type FormatOptions, formatLuks, readLuks, unlock } from "./luks.ts";
import type { LuksVolume } from "./luks-volume.ts";

export interface OpenEncryptedOptions extends EncryptedImageOptions {
  /** Required version of LUKS; undefined: any. */
  readonly version?: 1 | 2;
}

/**
 * Opens an image that is encrypted with one key. For clones whose parents have other keys use `Image.openEncrypted`.
 */
export async function openEncrypted(
  image: ImageOperations,
  passphrase: Secret,
  { version, ...options }: OpenEncryptedOptions = {},
): Promise<EncryptedImage> {
  const read = (offset: number, length: number) => readBytes(image, offset, length);
  const volume = await readLuks(read);
  assertFits(volume, version, image.size);
  using key = await unlock(volume, read, passphrase);
  return new EncryptedImage(image, volume, key, options);
}

/**
 * Formats an image for encryption, as `rbd encryption format` does. The image's data is lost. A clone continues to show
 * its parent's data after the header, encrypted with the parent's key if it has one.
 *
 * @param isClone whether it has a parent, whose data its key does not decrypt
 * @throws EncryptionError `SIPHON_ENCRYPTION_SPACE` if no room for data would remain
 */
export async function formatEncrypted(
  image: ImageOperations,
  passphrase: Secret,
  { isClone = false, ...options }: FormatOptions & { isClone?: boolean },
): Promise<LuksVolume> {
  const { volume, header, key } = await formatLuks(passphrase, options);
  using _ = key;
  if (volume.dataOffset >= image.size) {
    throw new EncryptionError(
      "SIPHON_ENCRYPTION_SPACE",
      `the image is too small: encryption needs more than ${volume.dataOffset} bytes, and it has ${image.size}`,
    );
  }
  if (isClone) markAsClone(header);
  // First destroy the keyslots of an earlier header, so that two headers are never mixed.
  await zeroBytes(image, 0, volume.dataOffset);
  await flushImage(image);
  await writeBytes(image, 0, header);
  await flushImage(image);
  return volume;
}
