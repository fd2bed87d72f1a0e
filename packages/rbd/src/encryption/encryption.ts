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
  /** Version of LUKS that the image must have; any, if missing. */
  readonly version?: 1 | 2;
}

/** Opens what is encrypted with one key. Images may have parents with other keys: `Image.openEncrypted` is for them. */
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
 * Sets up encryption, as `rbd encryption format` does: what was in the image cannot be read any more. A clone goes on showing its parent's
 * data, behind the header and with the parent's own key, if it has one.
 *
 * @param isClone it has a parent, whose data its key does not open
 * @throws EncryptionError `SIPHON_ENCRYPTION_SPACE` if nothing would be left for data
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
  // The keys of an earlier encryption go first, so that at no time two headers are mixed.
  await zeroBytes(image, 0, volume.dataOffset);
  await flushImage(image);
  await writeBytes(image, 0, header);
  await flushImage(image);
  return volume;
}
