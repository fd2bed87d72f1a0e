import type { ImageLayer } from "./image-layer.ts";
import { ImageRequest } from "./image-request.ts";

/** Receives the bytes of an object that come from the parent image. */
export interface ParentReader {
  /** As `ImageRequest.take`; positions count from the start of the object's extent. */
  takeFromParent(bytes: Buffer, start: number, end: number, position: number): void;
  zerosFromParent(position: number, length: number): void;
  parentRead(result: number, error: Error | undefined): void;
}

/**
 * Reads an extent of an object from the parent. The extent is split into parts that are contiguous in the image; the
 * parent reads them from its own objects, or its own parent.
 *
 * @param length bytes, within the overlap of the object with the parent
 */
export function readParent(
  io: ImageLayer,
  objectNumber: number,
  objectOffset: number,
  length: number,
  reader: ParentReader,
): void {
  const { layout, parentView } = io;
  const parent = io.parent!;
  const pending: Pending = { count: 1, result: 0, error: undefined, reader };
  for (let position = 0; position < length; ) {
    const run = Math.min(layout.run(objectOffset + position), length - position);
    const offset = layout.imageOffset(objectNumber, objectOffset + position);
    pending.count++;
    const read = new ParentRead(pending, position, offset, run);
    if (parentView === undefined) parent.read(read);
    else parentView.read(io, parent, read);
    position += run;
  }
  settle(pending);
}

/** Reads of the parent in flight for one extent. */
interface Pending {
  count: number;
  result: number;
  error: Error | undefined;
  readonly reader: ParentReader;
}

function settle(pending: Pending): void {
  if (--pending.count === 0) pending.reader.parentRead(pending.result, pending.error);
}

class ParentRead extends ImageRequest {
  readonly #pending: Pending;
  readonly #position: number;

  constructor(pending: Pending, position: number, offset: number, length: number) {
    super();
    this.#pending = pending;
    this.#position = position;
    this.offset = offset;
    this.length = length;
  }

  fill(): void {}

  take(bytes: Buffer, start: number, end: number, position: number): void {
    this.#pending.reader.takeFromParent(bytes, start, end, this.#position + position);
  }

  takeZeros(position: number, length: number): void {
    this.#pending.reader.zerosFromParent(this.#position + position, length);
  }

  completed(): void {
    if (this.result < 0 && this.#pending.result === 0) {
      this.#pending.result = this.result;
      this.#pending.error = this.error;
    }
    settle(this.#pending);
  }
}
