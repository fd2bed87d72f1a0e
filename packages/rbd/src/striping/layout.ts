/**
 * The layout of an image's bytes in its objects (file_layout_t; src/osdc/Striper.cc). The image is divided into stripe
 * units, which are distributed round-robin over `stripeCount` objects; when those are full, the next set of objects
 * follows. With one object per set, the bytes of an object are contiguous in the image: the plain layout.
 */
export class Layout {
  /** Bytes; a power of two. */
  readonly objectSize: number;
  readonly stripeUnit: number;
  readonly stripeCount: number;
  readonly plain: boolean;
  /** Bytes in a set of objects. */
  readonly setSize: number;
  readonly #stripeSize: number;

  constructor({
    objectSize,
    stripeUnit,
    stripeCount,
  }: Pick<Layout, "objectSize" | "stripeUnit" | "stripeCount">) {
    this.objectSize = objectSize;
    this.plain = stripeCount === 1;
    this.stripeUnit = this.plain ? objectSize : stripeUnit;
    this.stripeCount = stripeCount;
    this.setSize = objectSize * stripeCount;
    this.#stripeSize = this.stripeUnit * stripeCount;
  }

  /** Number of objects of an image of `size` bytes. */
  objectCount(size: number): number {
    if (this.plain) return Math.ceil(size / this.objectSize);
    const sets = Math.floor(size / this.setSize);
    // In a short last set some objects are empty.
    const used = Math.min(this.stripeCount, Math.ceil((size - sets * this.setSize) / this.stripeUnit));
    return sets * this.stripeCount + used;
  }

  /** The image offset of an object's byte. */
  imageOffset(objectNumber: number, objectOffset: number): number {
    if (this.plain) return objectNumber * this.objectSize + objectOffset;
    const set = Math.floor(objectNumber / this.stripeCount);
    const column = objectNumber - set * this.stripeCount;
    const row = Math.floor(objectOffset / this.stripeUnit);
    const within = objectOffset - row * this.stripeUnit;
    return set * this.setSize + row * this.#stripeSize + column * this.stripeUnit + within;
  }

  /** Number of bytes from `objectOffset` that are contiguous in the image. */
  run(objectOffset: number): number {
    return this.stripeUnit - (objectOffset % this.stripeUnit);
  }

  /**
   * The number of the image's first `size` bytes in an object: they are the object's first bytes. So an extent of the
   * image is one extent in each of its objects.
   */
  bytesOf(objectNumber: number, size: number): number {
    const set = Math.floor(objectNumber / this.stripeCount);
    return this.bytesOfColumn(objectNumber - set * this.stripeCount, size - set * this.setSize);
  }

  /** As `bytesOf`, within a set; `size` counts from the set's start. */
  bytesOfColumn(column: number, size: number): number {
    if (size <= 0) return 0;
    if (size >= this.setSize) return this.objectSize;
    const rows = Math.floor(size / this.#stripeSize);
    const rest = size - rows * this.#stripeSize - column * this.stripeUnit;
    return rows * this.stripeUnit + Math.min(Math.max(rest, 0), this.stripeUnit);
  }
}
