import type { ImageHeader } from "../header/image-header.ts";
import type { OnProgress } from "../progress.ts";
import { eachObject } from "./objects.ts";

/** The part of `Image` that this uses. */
interface ProvisionedImage {
  readonly size: number;
  readonly header: Pick<ImageHeader, "objectSize" | "stripeCount">;
  writeZeroes(offset: number, length: number, options: { thick: boolean }): Promise<void>;
  flush(): Promise<void>;
}

/** Writes zeros to the whole image; unlike `writeZeroes`, this allocates the space. */
export async function provision(image: ProvisionedImage, onProgress?: OnProgress): Promise<void> {
  const { size, header } = image;
  const pieceBytes = header.objectSize * header.stripeCount;
  await eachObject(
    0,
    Math.ceil(size / pieceBytes),
    (piece) => {
      const offset = piece * pieceBytes;
      return image.writeZeroes(offset, Math.min(pieceBytes, size - offset), { thick: true });
    },
    { progress: onProgress },
  );
  await image.flush();
}
