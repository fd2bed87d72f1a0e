import { setSize } from "../cls/image.ts";
import { RbdError } from "../errors.ts";
import type { OpenImage } from "../image/open-image.ts";
import { poolById } from "../image/pools.ts";
import type { OnProgress } from "../image/requests.ts";
import { objectState } from "../object-map/object-state.ts";
import { dataObject, eachObject, trimObject } from "./objects.ts";

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

/** Removes what lies beyond `size`: all of the image, for 0. */
export async function trim(image: OpenImage, size: number, progress?: OnProgress): Promise<void> {
  const { io, header, cluster } = image;
  const { layout, objectMap } = io;
  const data = await poolById(cluster, header.dataPoolId, header.namespace);
  const objects = layout.objectCount(header.size);
  const gone: number[] = [];
  const cut: number[] = [];
  // Striped, objects of the last set may be anywhere: each says for itself how much of it is left.
  const firstTouched = Math.floor(size / layout.setSize) * layout.stripeCount;
  for (let objectNumber = firstTouched; objectNumber < objects; objectNumber++) {
    const keep = layout.bytesOf(objectNumber, size);
    if (objectMap !== undefined && !objectMap.mayExist(objectNumber)) continue;
    if (keep === 0) gone.push(objectNumber);
    else if (keep < layout.bytesOf(objectNumber, header.size)) cut.push(objectNumber);
  }
  const work = [...cut, ...gone];
  await mark(image, gone, objectState.pending, undefined);
  // Changed since the last snapshot.
  await mark(image, cut, objectState.exists, undefined);
  await eachObject(
    0,
    work.length,
    async (index) => {
      const objectNumber = work[index]!;
      const name = dataObject(header.objectPrefix, objectNumber);
      await trimObject(data, name, layout.bytesOf(objectNumber, size), header.snapContext);
    },
    progress,
  );
  await mark(image, gone, objectState.nonexistent, objectState.pending);
}

/** Has the object map say `state` of all these objects. */
async function mark(
  { io }: OpenImage,
  objects: readonly number[],
  state: number,
  current: number | undefined,
): Promise<void> {
  const { objectMap } = io;
  if (objectMap === undefined) return;
  await Promise.all(
    objects.map(
      (objectNumber) =>
        new Promise<void>((resolve, reject) => {
          const mapUpdated = (result: number) => {
            if (result < 0) reject(new RbdError("SIPHON_RBD_FENCED", "the lock on the object map was lost"));
            else resolve();
          };
          if (!objectMap.update(objectNumber, state, current, { mapUpdated })) resolve();
        }),
    ),
  );
}

async function resizeMap({ io, maps }: OpenImage, objects: number): Promise<void> {
  if (io.objectMap === undefined) return;
  await maps.resize(objects);
  io.objectMap.replace(await maps.load());
}
