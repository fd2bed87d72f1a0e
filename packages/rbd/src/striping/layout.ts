/**
 * How an image's bytes lie in its objects (file_layout_t; src/osdc/Striper.cc). The image is cut into stripe units, which go
 * round `stripeCount` objects; when those are full, the next set of objects follows. With one object to a set, units
 * follow each other within the object, whatever their size: that is the plain layout.
 */
export class Layout {
  /** Bytes; a power of two. */
  readonly objectSize: number;
  readonly stripeUnit: number;
  readonly stripeCount: number;
  readonly plain: boolean;
  /** Bytes of a set of objects. */
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

  /** How many objects an image of `size` bytes can have. */
  objectCount(size: number): number {
    if (this.plain) return Math.ceil(size / this.objectSize);
    const sets = Math.floor(size / this.setSize);
    // The last set may be so short that some of its objects have nothing.
    const used = Math.min(this.stripeCount, Math.ceil((size - sets * this.setSize) / this.stripeUnit));
    return sets * this.stripeCount + used;
  }

  /** Where in the image a byte of an object is. */
  imageOffset(objectNumber: number, objectOffset: number): number {
    if (this.plain) return objectNumber * this.objectSize + objectOffset;
    const set = Math.floor(objectNumber / this.stripeCount);
    const column = objectNumber - set * this.stripeCount;
    const row = Math.floor(objectOffset / this.stripeUnit);
    const within = objectOffset - row * this.stripeUnit;
    return set * this.setSize + row * this.#stripeSize + column * this.stripeUnit + within;
  }

  /** How many bytes from `objectOffset` on follow each other in the image, too. */
  run(objectOffset: number): number {
    return this.stripeUnit - (objectOffset % this.stripeUnit);
  }

  /**
   * How many of the image's first `size` bytes are an object's: they are the object's first ones. So an extent of the image
   * is one extent of each object that it touches.
   */
  bytesOf(objectNumber: number, size: number): number {
    const set = Math.floor(objectNumber / this.stripeCount);
    return this.bytesOfColumn(objectNumber - set * this.stripeCount, size - set * this.setSize);
  }

  /** As `bytesOf`, within a set: `size` counts from its start. */
  bytesOfColumn(column: number, size: number): number {
    if (size <= 0) return 0;
    if (size >= this.setSize) return this.objectSize;
    const rows = Math.floor(size / this.#stripeSize);
    const rest = size - rows * this.#stripeSize - column * this.stripeUnit;
    return rows * this.stripeUnit + Math.min(Math.max(rest, 0), this.stripeUnit);
  }
}
