import { NO_SNAP, type Pool, WriteOperation } from "@siphon/rados";
import { errno, SiphonError } from "@siphon/wire";
import { sparsifyObject } from "../cls/image.ts";
import { addCalls } from "../cls/run.ts";
import { hasCode, RbdError } from "../errors.ts";
import { poolById } from "../image/pools.ts";
import type { ImageState } from "../image-state.ts";
import { ascendingSnapIds, foundState } from "../object-map/found-states.ts";
import { objectState } from "../object-map/object-state.ts";
import { updateMap } from "../object-map/update-map.ts";
import { dataObject } from "../object-names.ts";
import { persevere } from "../persevere.ts";
import type { OnProgress } from "../progress.ts";
import { endOfData, readData } from "./find-zeros.ts";
import type { MaintainedImage } from "./maintained-image.ts";
import { atOnce, eachObject } from "./objects.ts";

/**
 * Frees the space of zeros (src/librbd/operation/SparsifyRequest.cc): blocks of `sparseSize` bytes within objects, and
 * whole objects unless the parent's data would appear. Writes continue meanwhile.
 */
export async function sparsify(
  image: MaintainedImage,
  sparseSize: number,
  progress?: OnProgress,
): Promise<void> {
  const { io, header, cluster } = image;
  assertSparseSize(header, sparseSize);
  const data = await poolById(cluster, header.dataPoolId, header.namespace);
  const shown = io.layout.objectCount(header.parent?.overlap ?? 0);
  const work = async (objectNumber: number) => {
    if (io.objectMap?.mayExist(objectNumber) === false) return;
    const removeEmpty = objectNumber >= shown;
    try {
      await new SparseObject(image, data, objectNumber, removeEmpty).sparsify(sparseSize);
    } catch (error) {
      if (!hasCode(error, "ENOENT")) throw error;
    }
  };
  await eachObject(0, io.layout.objectCount(header.size), work, { progress, atOnce: atOnce(image) });
}

/** @throws RbdError SIPHON_RBD_INVALID unless the size is a power of two from 4 KiB to the object size */
export function assertSparseSize({ objectSize }: Pick<ImageState, "objectSize">, sparseSize: number): void {
  if (Number.isInteger(Math.log2(sparseSize)) && sparseSize >= 4096 && sparseSize <= objectSize) return;
  throw new RbdError(
    "SIPHON_RBD_INVALID",
    `invalid sparse size ${sparseSize}: it must be a power of two from 4096 to the object size of ${objectSize}`,
    { errno: -errno.EINVAL },
  );
}

class SparseObject {
  readonly #image: MaintainedImage;
  readonly #data: Pool;
  readonly #objectNumber: number;
  readonly #object: string;
  readonly #removeEmpty: boolean;

  constructor(image: MaintainedImage, data: Pool, objectNumber: number, removeEmpty: boolean) {
    this.#image = image;
    this.#data = data;
    this.#objectNumber = objectNumber;
    this.#object = dataObject(image.header.objectPrefix, objectNumber);
    this.#removeEmpty = removeEmpty;
  }

  async sparsify(sparseSize: number): Promise<void> {
    const operation = new WriteOperation<unknown[]>();
    addCalls(operation, [sparsifyObject(sparseSize, this.#removeEmpty)]);
    try {
      await this.#change(operation).catch((error) => {
        if (!hasCode(error, "EOPNOTSUPP")) throw error;
        return this.#trimEnd(sparseSize);
      });
    } finally {
      // The OSD may have executed a request without answering.
      await this.#untilTold();
    }
  }

  /** Retries as long as the image is open. */
  #untilTold(): Promise<void> {
    const image = this.#image;
    return persevere(() => this.#tellMap(), {
      isFinal: (error) => image.isClosed || !(error instanceof SiphonError && error.retryable),
    });
  }

  /**
   * Erasure-coded pools have no class methods that read and write: there only zeros at the end of an object are freed,
   * unless the object is written to meanwhile.
   */
  async #trimEnd(sparseSize: number): Promise<void> {
    const { objectSize } = this.#image.header;
    for (;;) {
      const kept = await readData(this.#data, this.#object, objectSize);
      if (kept === undefined) return;
      const last = kept.extents.at(-1);
      const end = endOfData(kept, sparseSize);
      if (last !== undefined && end >= last.offset + last.length) return;
      const operation = new WriteOperation<unknown[]>();
      operation.compareExtent(end, Buffer.alloc(objectSize - end));
      if (end === 0 && this.#removeEmpty) operation.remove();
      else operation.truncate(end);
      try {
        return await this.#change(operation);
      } catch (error) {
        if (!hasCode(error, "ECANCELED")) throw error;
      }
    }
  }

  /**
   * Updates the map for objects that are removed, and for those that now differ from the last snapshot (librbd does
   * not, and later finds its own map wrong). An object stays marked as possibly existing until its absence is certain,
   * because a write may have created it again.
   */
  async #tellMap(): Promise<void> {
    const { header, io } = this.#image;
    const { objectMap } = io;
    const { nonexistent, pending, existsClean } = objectState;
    if (objectMap === undefined || (!this.#removeEmpty && header.snapshots.size === 0)) return;
    const before = objectMap.states.get(this.#objectNumber);
    const after = await this.#state();
    const update = (state: number, current: number) =>
      updateMap(objectMap, this.#objectNumber, state, current);
    if (after === nonexistent) {
      if (before !== pending && !(await update(pending, before))) return;
      await update(await this.#state(), pending);
    } else if (before === existsClean) {
      await update(after, before);
    }
  }

  /** The object's state for the map. */
  #state(): Promise<number> {
    const { header } = this.#image;
    return foundState(this.#data, header, NO_SNAP, ascendingSnapIds(header), this.#objectNumber);
  }

  async #change(operation: WriteOperation<unknown[]>): Promise<void> {
    await this.#data.operate(this.#object, operation, { snapContext: this.#image.header.snapContext });
  }
}
