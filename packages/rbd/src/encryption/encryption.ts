import {
  flushImage,
  type ImageOperations,
  readBytes,
  writeBytes,
  zeroBytes,
} from "../io/image-operations.ts";
import { EncryptedImage, type EncryptedImageOptions } from "./encrypted-image.ts";
import { EncryptionError } from "./encryption-error.ts";
import { type FormatOptions, formatLuks, readLuks, unlock } from "./luks.ts";
import type { LuksVolume } from "./luks-volume.ts";
import type { Secret } from "./secret.ts";

export interface OpenEncryptedOptions extends EncryptedImageOptions {
  /** Of LUKS, that the image must have; any, if missing. */
  readonly version?: 1 | 2;
}

/** Opens an encrypted image with a passphrase, as `rbd encryption load` does. */
export async function openEncrypted(
  image: ImageOperations,
  passphrase: Secret,
  { version, ...options }: OpenEncryptedOptions = {},
): Promise<EncryptedImage> {
  const read = (offset: number, length: number) => readBytes(image, offset, length);
  const volume = await readLuks(read);
  if (version !== undefined && volume.version !== version) {
    throw new EncryptionError(
      "SIPHON_ENCRYPTION_UNSUPPORTED",
      `the image is encrypted with LUKS${volume.version}, and not with LUKS${version}`,
    );
  }
  if (volume.dataOffset > image.size) {
    throw new EncryptionError(
      "SIPHON_ENCRYPTION_SPACE",
      `the encrypted data begins at byte ${volume.dataOffset}, the image ends at ${image.size}`,
    );
  }
  using key = await unlock(volume, read, passphrase);
  return new EncryptedImage(image, volume, key, options);
}

/**
 * Sets up encryption, as `rbd encryption format` does: what was in the image cannot be read any more.
 *
 * @throws EncryptionError `SIPHON_ENCRYPTION_SPACE` if nothing would be left for data
 */
export async function formatEncrypted(
  image: ImageOperations,
  passphrase: Secret,
  options: FormatOptions,
): Promise<LuksVolume> {
  const { volume, header, key } = await formatLuks(passphrase, options);
  using _ = key;
  if (volume.dataOffset >= image.size) {
    throw new EncryptionError(
      "SIPHON_ENCRYPTION_SPACE",
      `the image is too small: encryption needs more than ${volume.dataOffset} bytes, it has ${image.size}`,
    );
  }
  // The keys of an earlier encryption go first, so that at no time two headers are mixed.
  await zeroBytes(image, 0, volume.dataOffset);
  await flushImage(image);
  await writeBytes(image, 0, header);
  await flushImage(image);
  return volume;
}
