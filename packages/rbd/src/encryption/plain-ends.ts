import type { Secret } from "@siphon/wire";
import type { Image } from "../image.ts";
import { flushImage, readBytes, writeBytes, zeroBytes } from "../io/image-operations.ts";
import type { ImageReader, ImageWriter } from "../transfer/image-ends.ts";
import type { EncryptedImage } from "./encrypted-image.ts";
import { formatEncrypted, openEncrypted } from "./encryption.ts";

/** Reads the decrypted data of an image, for transfers. */
export function plainReader(encrypted: EncryptedImage): ImageReader {
  return {
    size: encrypted.size,
    read: (offset, length, into) => readBytes(encrypted, offset, length, into),
  };
}

/** Bytes that an encrypted image needs beside its data, for objects or stripes of this many bytes. */
export function encryptionRoom(alignment: number): number {
  return luksHeaderBytes + alignment;
}

/**
 * Formats a new image for encryption, and returns a target for plain data, whose size is the data's in whole sectors.
 *
 * Zeros must be written, too: librbd and siphon read unwritten sectors as zeros, but the kernel and QEMU decrypt them.
 */
export async function encryptedTarget(
  image: Image,
  { version, passphrase }: { version: 1 | 2; passphrase: Secret },
): Promise<ImageWriter> {
  const { objectSize, stripeCount } = image.header;
  const alignment = objectSize * stripeCount;
  await formatEncrypted(image, passphrase, { version, keyBits: 256, alignment });
  const encrypted = await openEncrypted(image, passphrase);
  const { dataOffset, sectorBytes } = encrypted;
  return {
    get size() {
      return encrypted.size;
    },
    resize: (size) => {
      const data = Math.ceil(size / sectorBytes) * sectorBytes;
      return image.resize(dataOffset + data, { allowShrink: true });
    },
    write: (offset, bytes) => writeBytes(encrypted, offset, bytes),
    writeZeroes: (offset, length) => zeroBytes(encrypted, offset, length),
    flush: () => flushImage(encrypted),
  };
}

/** Header of LUKS2, which is larger than that of LUKS1. */
const luksHeaderBytes = 16 * 1024 * 1024;
