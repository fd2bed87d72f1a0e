import type { ImageHeader } from "../header/image-header.ts";
import type { OnProgress } from "../progress.ts";
import { eachObject } from "./objects.ts";

/** The part of `Image` that this takes. */
interface ProvisionedImage {
  readonly size: number;
  readonly header: Pick<ImageHeader, "objectSize" | "stripeCount">;
  writeSame(offset: number, length: number, pattern: Uint8Array): Promise<void>;
  flush(): Promise<void>;
}

/** Writes zeros to all of an image, which unlike `writeZeroes` gives no space back. */
export async function provision(image: ProvisionedImage, onProgress?: OnProgress): Promise<void> {
  const { size, header } = image;
  const pieceBytes = header.objectSize * header.stripeCount;
  await eachObject(
    0,
    Math.ceil(size / pieceBytes),
    (piece) => {
      const offset = piece * pieceBytes;
      const length = Math.min(pieceBytes, size - offset);
      return image.writeSame(offset, length, length % block.length === 0 ? block : block.subarray(0, 1));
    },
    { progress: onProgress },
  );
  await image.flush();
}

/** The data that an OSD fills an object with. */
const block = Buffer.alloc(512);
