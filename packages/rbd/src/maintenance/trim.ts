import type { OpenImage } from "../image/open-image.ts";
import { poolById } from "../image/pools.ts";
import type { OnProgress } from "../image/requests.ts";
import { objectState } from "../object-map/object-state.ts";
import { updateMap } from "../object-map/update-map.ts";
import { dataObject, eachObject, trimObject } from "./objects.ts";

/**
 * Removes what lies beyond `size`: all of the image, for 0 (src/librbd/operation/TrimRequest.cc). Nothing is written meanwhile.
 *
 * What a snapshot shows of the parent there is copied up before: the image's own overlap with the parent ends at the new size from
 * then on, so neither flattening nor a rollback would find it.
 */
export async function trim(image: OpenImage, size: number, progress?: OnProgress): Promise<void> {
  const { io, header, cluster } = image;
  const { layout } = io;
  const data = await poolById(cluster, header.dataPoolId, header.namespace);
  const end = layout.objectCount(header.size);
  // Striped, objects of the last set may be anywhere: each says for itself how much of it is left.
  const first = Math.floor(size / layout.setSize) * layout.stripeCount;
  const inSnapshots = header.snapContext.snaps.length > 0;
  for (let from = first; from < end; from += batch) {
    const to = Math.min(from + batch, end);
    const touched = objectsOf(image, from, to, size);
    if (inSnapshots) await eachObject(0, touched.length, (index) => io.copyUp(touched[index]!));
    const there = touched.filter((objectNumber) => io.objectMap?.mayExist(objectNumber) ?? true);
    const gone = there.filter((objectNumber) => layout.bytesOf(objectNumber, size) === 0);
    const cut = there.filter((objectNumber) => layout.bytesOf(objectNumber, size) > 0);
    await mark(image, gone, objectState.pending, undefined);
    // Changed since the last snapshot.
    await mark(image, cut, objectState.exists, undefined);
    await eachObject(0, there.length, (index) => {
      const objectNumber = there[index]!;
      const name = dataObject(header.objectPrefix, objectNumber);
      return trimObject(data, name, layout.bytesOf(objectNumber, size), header.snapContext);
    });
    await mark(image, gone, objectState.nonexistent, objectState.pending);
    progress?.(to - first, end - first);
  }
}

/** Objects that are told to the object map, and removed, at one time. */
const batch = 4096;

/** Those from `from` up to `to` that have bytes beyond `size`. */
function objectsOf({ io, header }: OpenImage, from: number, to: number, size: number): number[] {
  const { layout } = io;
  return Array.from({ length: to - from }, (_, index) => from + index).filter(
    (objectNumber) => layout.bytesOf(objectNumber, size) < layout.bytesOf(objectNumber, header.size),
  );
}

/**
 * Has the object map say `state` of all these objects.
 *
 * @param current only of those of which it says this now
 */
async function mark(
  { io }: OpenImage,
  objects: readonly number[],
  state: number,
  current: number | undefined,
): Promise<void> {
  const { objectMap } = io;
  if (objectMap === undefined) return;
  await Promise.all(objects.map((objectNumber) => updateMap(objectMap, objectNumber, state, current)));
}
