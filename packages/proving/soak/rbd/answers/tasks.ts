import type { Image, ImagePool } from "@siphon/rbd";
import { imageFeature } from "@siphon/rbd";
import type { Model } from "./model.ts";

/** The target of a task, with its content before the task. */
export interface Subject {
  images: ImagePool;
  image: Image;
  group: string;
}

/** Possible contents of the image and of its snapshots, by name, whether a task succeeds or fails. */
export interface Before {
  now: Model;
  old: Model;
  /** The content of the parent. */
  parent: Model;
}

export interface Task {
  run(subject: Subject): Promise<void>;
  /** The possible contents after the task, given the size in the header. Without this function they do not change. */
  after?(before: Before, size: number): Model;
}

const larger = 2;
/** Bytes; ends in the middle of an object. */
const shrunk = (size: number) => size / 2 + 4096;

/** All tasks that change a header, an object map as a whole, or objects without updating the map. */
export const tasks = {
  "snap create": { run: ({ image }) => image.snapshots.create("new") },
  "snap rm": { run: ({ image }) => image.snapshots.remove("old") },
  "snap rename": { run: ({ image }) => image.snapshots.rename("old", "new") },
  "snap protect": { run: ({ image }) => image.snapshots.protect("old") },
  "snap unprotect": {
    run: async ({ image }) => {
      await image.snapshots.protect("old");
      await image.snapshots.unprotect("old");
    },
  },
  "snap rollback": {
    run: ({ image }) => image.snapshots.rollBack("old"),
    after: ({ now, old }) => now.or(old),
  },
  grow: {
    run: ({ image }) => image.resize(image.size * larger),
    after: ({ now }, size) => now.resized(size),
  },
  shrink: {
    run: ({ image }) => image.resize(shrunk(image.size), { allowShrink: true }),
    // Bytes beyond the new end may be gone although the header has the old size. Where an object is gone, the parent shows through.
    after: ({ now, parent }, size) => {
      const end = shrunk(now.size);
      const cut = now.resized(end).resized(now.size);
      return now.or(cut).or(now.from(end, parent)).resized(size);
    },
  },
  flatten: { run: ({ image }) => image.flatten() },
  sparsify: { run: ({ image }) => image.sparsify({ sparseSize: 4096 }) },
  "feature disable": { run: ({ image }) => image.updateFeatures(imageFeature.objectMap, false) },
  "feature enable": {
    run: async ({ image }) => {
      await image.updateFeatures(imageFeature.objectMap, false);
      await image.updateFeatures(imageFeature.objectMap, true);
    },
  },
  "object-map rebuild": { run: ({ image }) => image.rebuildObjectMap() },
  "object-map check": { run: async ({ image }) => void (await image.checkObjectMap()) },
  "image-meta set": { run: ({ image }) => image.metadata.set(new Map([["key", "value"]])) },
  "lock release and acquire": {
    run: async ({ image }) => {
      await image.locks.release();
      await image.locks.acquire();
    },
  },
  discard: {
    run: ({ image }) => image.discard(0, 16_384),
    after: ({ now }) => now.or(now.resized(0).resized(now.size)),
  },
  "group snap create": {
    run: async ({ images, group }) => (await images.groups.open(group)).snapshots.create("new"),
  },
  "group snap rollback": {
    run: async ({ images, group }) => {
      const { snapshots } = await images.groups.open(group);
      await snapshots.create("new");
      await snapshots.rollBack("new");
    },
  },
  "group snap rm": {
    run: async ({ images, group }) => {
      const { snapshots } = await images.groups.open(group);
      await snapshots.create("new");
      await snapshots.remove("new");
    },
  },
} as const satisfies Record<string, Task>;

export type TaskName = keyof typeof tasks;
