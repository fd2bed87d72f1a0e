import type { Layout } from "./layout.ts";

/**
 * A cursor over the object extents of an image extent, one per object. It is reused, so that splitting a request
 * allocates nothing.
 */
export class ObjectExtents {
  objectNumber = 0;
  objectOffset = 0;
  /** In bytes. */
  length = 0;
  #layout!: Layout;
  /** The rest: for plain layouts, in bytes of the image; otherwise in bytes of the set of the next column. */
  #at = 0;
  #end = 0;
  #set = 0;
  #column = 0;

  /** @param length bytes, more than 0 */
  start(layout: Layout, offset: number, length: number): void {
    this.#layout = layout;
    this.#at = offset;
    this.#end = offset + length;
    if (layout.plain) return;
    this.#set = Math.floor(offset / layout.setSize);
    this.#at -= this.#set * layout.setSize;
    this.#end -= this.#set * layout.setSize;
    this.#column = 0;
  }

  /** Moves to the next extent; false if there is none. */
  next(): boolean {
    const { objectSize, plain } = this.#layout;
    if (!plain) return this.#nextStriped();
    const at = this.#at;
    const left = this.#end - at;
    if (left <= 0) return false;
    const objectNumber = Math.floor(at / objectSize);
    const objectOffset = at - objectNumber * objectSize;
    const length = Math.min(objectSize - objectOffset, left);
    this.objectNumber = objectNumber;
    this.objectOffset = objectOffset;
    this.length = length;
    this.#at = at + length;
    return true;
  }

  #nextStriped(): boolean {
    const layout = this.#layout;
    while (this.#end > 0) {
      while (this.#column < layout.stripeCount) {
        const column = this.#column++;
        const first = layout.bytesOfColumn(column, this.#at);
        const length = layout.bytesOfColumn(column, this.#end) - first;
        if (length === 0) continue;
        this.objectNumber = this.#set * layout.stripeCount + column;
        this.objectOffset = first;
        this.length = length;
        return true;
      }
      this.#set++;
      this.#column = 0;
      this.#at = 0;
      this.#end -= layout.setSize;
    }
    return false;
  }
}
