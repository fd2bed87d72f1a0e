import { poolById } from "../image/pools.ts";
import { objectState } from "../object-map/object-state.ts";
import { updateMap } from "../object-map/update-map.ts";
import { dataObject } from "../object-names.ts";
import type { OnProgress } from "../progress.ts";
import type { MaintainedImage } from "./maintained-image.ts";
import { atOnce, eachObject, trimObject } from "./objects.ts";

/**
 * Truncates objects that cross `size`; writes are paused. First copies up all of their parent data, so that no later
 * copy-up restores the truncated part, and snapshots keep it.
 */
export async function cutOff(image: MaintainedImage, size: number): Promise<void> {
  const { io, header } = image;
  const how = { atOnce: atOnce(image) };
  const first = firstBeyond(image, size);
  const cut = objectsBeyond(image, first, first + io.layout.stripeCount, size).filter(
    (objectNumber) => io.layout.bytesOf(objectNumber, size) > 0,
  );
  await eachObject(0, cut.length, (index) => io.copyUp(cut[index]!), how);
  const there = cut.filter((objectNumber) => io.objectMap?.mayExist(objectNumber) ?? true);
  // Changed since the last snapshot.
  await mark(image, there, objectState.exists, undefined);
  const data = await poolById(image.cluster, header.dataPoolId, header.namespace);
  await eachObject(
    0,
    there.length,
    (index) => {
      const objectNumber = there[index]!;
      const name = dataObject(header.objectPrefix, objectNumber);
      return trimObject(data, name, io.layout.bytesOf(objectNumber, size), image.header.snapContext);
    },
    how,
  );
}

/**
 * Removes objects that lie completely beyond `size`; for 0, the whole image (src/librbd/operation/TrimRequest.cc).
 * Nothing is written there meanwhile.
 *
 * First copies up parent data there that snapshots need: afterwards the image's overlap with the parent ends at the new
 * size, so neither flattening nor a rollback would find that data.
 */
export async function trim(image: MaintainedImage, size: number, progress?: OnProgress): Promise<void> {
  const { io, header, cluster } = image;
  const { layout } = io;
  const data = await poolById(cluster, header.dataPoolId, header.namespace);
  const inSnapshots = header.snapContext.snaps.length > 0;
  const first = firstBeyond(image, size);
  const end = layout.objectCount(header.size);
  const how = { atOnce: atOnce(image) };
  for (let from = first; from < end; from += batch) {
    const to = Math.min(from + batch, end);
    const gone = objectsBeyond(image, from, to, size).filter(
      (objectNumber) => layout.bytesOf(objectNumber, size) === 0,
    );
    if (inSnapshots) await eachObject(0, gone.length, (index) => io.copyUp(gone[index]!), how);
    const there = gone.filter((objectNumber) => io.objectMap?.mayExist(objectNumber) ?? true);
    await mark(image, there, objectState.pending, undefined);
    await eachObject(
      0,
      there.length,
      (index) => {
        const name = dataObject(header.objectPrefix, there[index]!);
        return trimObject(data, name, 0, image.header.snapContext);
      },
      how,
    );
    await mark(image, there, objectState.nonexistent, objectState.pending);
    progress?.(to - first, end - first);
  }
}

/** Objects per update of the object map and removal. */
const batch = 4096;

/** With striping, each object of the last set has its own remaining length. */
function firstBeyond({ io: { layout } }: MaintainedImage, size: number): number {
  return Math.floor(size / layout.setSize) * layout.stripeCount;
}

/** Objects from `from` up to `to` with bytes beyond `size`. */
function objectsBeyond({ io, header }: MaintainedImage, from: number, to: number, size: number): number[] {
  const { layout } = io;
  return Array.from({ length: to - from }, (_, index) => from + index).filter(
    (objectNumber) => layout.bytesOf(objectNumber, size) < layout.bytesOf(objectNumber, header.size),
  );
}

/**
 * Sets the state of all these objects in the object map.
 *
 * @param current only objects in this state
 */
async function mark(
  { io }: MaintainedImage,
  objects: readonly number[],
  state: number,
  current: number | undefined,
): Promise<void> {
  const { objectMap } = io;
  if (objectMap === undefined) return;
  await Promise.all(objects.map((objectNumber) => updateMap(objectMap, objectNumber, state, current)));
}
