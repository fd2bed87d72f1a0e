import type { Image } from "../image.ts";
import type { DiffTarget } from "./image-ends.ts";

/** An open image as the target of a transfer. */
export function imageTarget(image: Image): DiffTarget {
  const named = (name: string) => image.snapshots.list().some((snapshot) => snapshot.name === name);
  return {
    get size() {
      return image.size;
    },
    resize: (size) => image.resize(size, { allowShrink: true }),
    write: (offset, bytes) => image.write(offset, bytes),
    writeZeroes: (offset, length) => image.writeZeroes(offset, length),
    flush: () => image.flush(),
    hasSnapshot: async (name) => named(name),
    createSnapshot: async (name, isProtected) => {
      await image.snapshots.create(name);
      if (isProtected) await image.snapshots.protect(name);
    },
  };
}
