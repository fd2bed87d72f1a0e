import { setSize } from "../cls/image.ts";
import { RbdError } from "../errors.ts";
import type { OpenImage } from "../image/open-image.ts";
import type { OnProgress } from "../image/requests.ts";
import { trim } from "./trim.ts";

/**
 * Makes an image larger or smaller (src/librbd/operation/ResizeRequest.cc). What is beyond the new end is removed before the
 * header says so: whoever crashes in between has the old size, with zeros at its end.
 */
export async function resize(
  image: OpenImage,
  size: number,
  allowShrink: boolean,
  progress?: OnProgress,
): Promise<void> {
  const { io } = image;
  await image.refresh();
  const { size: before, name } = image.header;
  if (size === before) return;
  if (size < before && !allowShrink) {
    throw new RbdError("SIPHON_RBD_INVALID", `image ${name} has ${before} bytes: ${size} would shrink it`, {
      hint: "data beyond the new end is lost; to do it all the same: --allow-shrink",
    });
  }
  await io.pauseWrites();
  try {
    const objects = io.layout.objectCount(size);
    if (size < before) await trim(image, size, progress);
    else await resizeMap(image, objects);
    await image.changeHeader(setSize(size));
    if (size < before) await resizeMap(image, objects);
    await image.refresh();
  } finally {
    io.resumeWrites();
  }
  await image.announce();
}

async function resizeMap({ io, maps }: OpenImage, objects: number): Promise<void> {
  if (io.objectMap === undefined) return;
  await maps.resize(objects);
  io.objectMap.replace(await maps.load());
}
