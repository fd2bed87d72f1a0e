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
 * Gives back what zeros take (src/librbd/operation/SparsifyRequest.cc): blocks of `sparseSize` bytes within objects, and whole
 * objects where no parent would show. Writes go on meanwhile.
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

/** @throws RbdError SIPHON_RBD_INVALID for what is no power of two from 4 KiB to an object's size */
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
      // The OSD may have done what it did not answer.
      await this.#untilTold();
    }
  }

  /** However long that takes, as long as the image is open. */
  #untilTold(): Promise<void> {
    const image = this.#image;
    return persevere(() => this.#tellMap(), {
      isFinal: (error) => image.isClosed || !(error instanceof SiphonError && error.retryable),
    });
  }

  /**
   * Erasure-coded pools have no class methods that read and write: there only zeros at an object's end are given back, unless
   * somebody writes to them meanwhile.
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
   * The map learns of objects that are gone, and of those that are no longer what the last snapshot has (librbd leaves those
   * as they are, and then finds its own map wrong). It says that an object may be there until it is certain that it is not: a
   * write may have made it again.
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

  /** The state that the map should have. */
  #state(): Promise<number> {
    const { header } = this.#image;
    return foundState(this.#data, header, NO_SNAP, ascendingSnapIds(header), this.#objectNumber);
  }

  async #change(operation: WriteOperation<unknown[]>): Promise<void> {
    await this.#data.operate(this.#object, operation, { snapContext: this.#image.header.snapContext });
  }
}
