import { setSize } from "../cls/image.ts";
import { RbdError } from "../errors.ts";
import type { OnProgress } from "../progress.ts";
import type { MaintainedImage } from "./maintained-image.ts";
import { cutOff, trim } from "./trim.ts";

/**
 * Makes an image larger or smaller (src/librbd/operation/ResizeRequest.cc). Data beyond the new end is removed before
 * the header changes: after a crash the image has the old size, and its end has the old data, zeros, or the parent's
 * data. Writes up to the new end continue; they wait only while objects that cross the new end are truncated (one, or a
 * few if striped), and while the header is changed.
 */
export async function resize(
  image: MaintainedImage,
  size: number,
  allowShrink: boolean,
  progress?: OnProgress,
): Promise<void> {
  await image.refresh();
  const { size: before, name } = image.header;
  if (size === before) return;
  if (size < before && !allowShrink) {
    throw new RbdError(
      "SIPHON_RBD_INVALID",
      `a size of ${size} bytes would shrink image ${name}, which has ${before}`,
      {
        hint: "data beyond the new end is lost",
        remedy: { name: "allow-shrink" },
      },
    );
  }
  const objects = image.io.layout.objectCount(size);
  if (size > before) {
    await image.whilePaused(async () => {
      await resizeMap(image, objects);
      await image.changeHeader(setSize(size));
    });
  } else {
    try {
      await image.whilePaused(async () => {
        image.endAt(size);
        await cutOff(image, size);
      });
      await trim(image, size, progress);
      await image.whilePaused(async () => {
        await image.changeHeader(setSize(size));
        await resizeMap(image, objects);
      });
    } finally {
      image.endAt(undefined);
    }
  }
  await image.tell({ type: "headerUpdate" });
}

async function resizeMap({ io, maps }: MaintainedImage, objects: number): Promise<void> {
  if (io.objectMap === undefined) return;
  await maps.resize(objects);
  io.objectMap.replace(await maps.load());
}
