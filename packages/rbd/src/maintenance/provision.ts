import type { OnProgress } from "../image/requests.ts";
import type { Image } from "../image.ts";
import { eachObject } from "./objects.ts";

/** Writes zeros to all of an image, which unlike `writeZeroes` gives no space back. */
export async function provision(image: Image, onProgress?: OnProgress): Promise<void> {
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
    onProgress,
  );
  await image.flush();
}

/** What an OSD fills an object with. */
const block = Buffer.alloc(512);
