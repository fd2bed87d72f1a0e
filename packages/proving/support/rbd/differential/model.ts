import type { Shape } from "./disk-client.ts";

/** The default of rbd_discard_granularity_bytes. */
const granularity = 65_536;

/** The expected state of an image: its bytes, and those of its snapshots. */
export class ImageModel {
  readonly name: string;
  readonly shape: Shape;
  /** The number of ancestors that the image reads bytes from. */
  ancestors: number;
  bytes: Buffer;
  readonly snapshots = new Map<string, Buffer>();
  rolledBackByLibrbd = false;
  /** Objects that were zeroed or compared without success: their data may be unchanged. */
  readonly perhapsUnchanged = new Set<number>();

  constructor(name: string, shape: Shape, bytes: Buffer, ancestors = 0) {
    this.name = name;
    this.shape = shape;
    this.bytes = bytes;
    this.ancestors = ancestors;
  }

  /** Discards the complete units of the granularity in each object. */
  discard(offset: number, length: number): void {
    const objectSize = 2 ** this.shape.order;
    const unit = Math.min(granularity, objectSize);
    this.leavePerhapsUnchanged(offset, length);
    for (const [object, extent] of this.#objectExtents(offset, length)) {
      let { first, end } = extent;
      if (unit < objectSize || end < objectSize) {
        first = Math.ceil(first / unit) * unit;
        end = Math.floor(end / unit) * unit;
      }
      for (let at = first; at < end; at++) this.bytes[this.#imageOffset(object, at)] = 0;
    }
  }

  writeZeroes(offset: number, length: number): void {
    this.leavePerhapsUnchanged(offset, length);
    this.bytes.fill(0, offset, offset + length);
  }

  /** Records an action on an extent that may have changed nothing. */
  leavePerhapsUnchanged(offset: number, length: number): void {
    for (const object of this.#objectExtents(offset, length).keys()) this.perhapsUnchanged.add(object);
  }

  resize(size: number): void {
    const resized = Buffer.alloc(size);
    this.bytes.copy(resized);
    this.bytes = resized;
  }

  /** The part of each object that an extent of the image covers. */
  #objectExtents(offset: number, length: number): Map<number, { first: number; end: number }> {
    const { order, stripeUnit, stripeCount } = this.shape;
    const rowsPerObject = 2 ** order / stripeUnit;
    const extents = new Map<number, { first: number; end: number }>();
    for (let at = offset; at < offset + length; ) {
      const unit = Math.floor(at / stripeUnit);
      const row = Math.floor(unit / stripeCount);
      const object = Math.floor(row / rowsPerObject) * stripeCount + (unit % stripeCount);
      const first = (row % rowsPerObject) * stripeUnit + (at % stripeUnit);
      const end = first + Math.min(stripeUnit - (at % stripeUnit), offset + length - at);
      at += end - first;
      const known = extents.get(object);
      extents.set(object, { first: known?.first ?? first, end });
    }
    return extents;
  }

  #imageOffset(object: number, objectOffset: number): number {
    const { order, stripeUnit, stripeCount } = this.shape;
    const rowsPerObject = 2 ** order / stripeUnit;
    const row = Math.floor(object / stripeCount) * rowsPerObject + Math.floor(objectOffset / stripeUnit);
    return (row * stripeCount + (object % stripeCount)) * stripeUnit + (objectOffset % stripeUnit);
  }
}
