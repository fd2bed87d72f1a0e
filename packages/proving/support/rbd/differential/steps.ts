import type { Random } from "../../../../rados/test/support/random.ts";
import type { Shape } from "./disk-client.ts";
import type { ImageModel } from "./model.ts";

export type Client = "siphon" | "librbd";

/** One action of a client on the current image, as JSON, so that a failing sequence can be saved and run again. */
export type Step = { by: Client } & (
  | { op: "write"; offset: number; length: number; fill: number }
  | { op: "discard" | "writeZeroes"; offset: number; length: number }
  | { op: "writeSame"; offset: number; length: number; pattern: number; fill: number }
  | { op: "compareAndWrite"; offset: number; length: number; fill: number; matches: boolean }
  | { op: "burst"; writes: { offset: number; length: number; fill: number }[] }
  | { op: "resize"; size: number }
  | { op: "createSnapshot" | "removeSnapshot" | "rollBack" | "readSnapshot"; snapshot: string }
  | { op: "clone"; snapshot: string; child: string; shape: Shape }
  | { op: "flatten" | "flush" | "reopen" }
  | { op: "setObjectMap"; on: boolean }
);

export const largest = 1_500_000;
const maxSnapshots = 4;
const maxAncestors = 2;

const weights: Record<Step["op"], number> = {
  ...{ write: 30, burst: 8, discard: 10, writeZeroes: 8, writeSame: 6, compareAndWrite: 6, flush: 2 },
  ...{ resize: 5, createSnapshot: 6, removeSnapshot: 4, rollBack: 3, readSnapshot: 4, clone: 4, flatten: 2 },
  ...{ reopen: 5, setObjectMap: 1 },
};
const ops = Object.entries(weights).flatMap(([op, weight]) =>
  Array<Step["op"]>(weight).fill(op as Step["op"]),
);

/** @param count number of steps before this one, for names */
export function randomStep(random: Random, image: ImageModel, count: number): Step {
  for (;;) {
    const step = attempt(random, image, count);
    if (step !== undefined) return step;
  }
}

export function randomShape(random: Random): Shape {
  const order = random.between(15, 17);
  if (random.chance(0.5)) return { order, stripeUnit: 2 ** order, stripeCount: 1 };
  return { order, stripeUnit: 2 ** random.between(12, order), stripeCount: random.between(2, 4) };
}

/** Undefined if the image does not allow such a step now. */
function attempt(random: Random, image: ImageModel, count: number): Step | undefined {
  const op = random.pick(ops);
  const by: Client = random.pick(["siphon", "librbd"] as const);
  const snapshots = [...image.snapshots.keys()];
  const snapshot = snapshots.length > 0 ? random.pick(snapshots) : undefined;
  const fill = random.between(1, 255);
  switch (op) {
    case "write":
      return { op, by, ...extent(random, image), fill };
    case "burst": {
      const writes = Array.from({ length: random.between(2, 8) }, () => ({
        ...extent(random, image),
        fill: random.between(1, 255),
      }));
      return { op, by: "siphon", writes };
    }
    case "discard":
    case "writeZeroes":
      return { op, by, ...extent(random, image) };
    case "writeSame": {
      const { offset, length } = extent(random, image);
      const pattern = random.pick([1, 16, 512, 4096]);
      if (length < pattern) return undefined;
      return { op, by: "siphon", offset, length: length - (length % pattern), pattern, fill };
    }
    case "compareAndWrite": {
      const offset = random.below(image.bytes.length);
      const room = Math.min(512 - (offset % 512), image.bytes.length - offset);
      const length = random.between(1, room);
      return { op, by: "siphon", offset, length, fill, matches: random.chance(0.7) };
    }
    case "resize":
      return { op, by, size: random.between(1, largest) };
    case "createSnapshot":
      return snapshots.length >= maxSnapshots ? undefined : { op, by, snapshot: `s${count}` };
    case "removeSnapshot":
    case "rollBack":
    case "readSnapshot":
      return snapshot === undefined ? undefined : { op, by, snapshot };
    case "clone":
      if (snapshot === undefined || image.ancestors >= maxAncestors) return undefined;
      return { op, by, snapshot, child: `i${count}`, shape: randomShape(random) };
    case "flatten":
      return image.ancestors === 0 ? undefined : { op, by };
    case "setObjectMap":
      return { op, by: "librbd", on: random.chance(0.6) };
    default:
      return { op, by };
  }
}

/** Most extents are close to the boundaries of objects and stripe units. */
function extent(random: Random, { bytes, shape }: ImageModel): { offset: number; length: number } {
  const size = bytes.length;
  const unit = random.pick([shape.stripeUnit, 2 ** shape.order, 4096]);
  const near = random.below(Math.ceil(size / unit) + 1) * unit + random.pick([-512, -1, 0, 0, 0, 1, 100]);
  const offset = Math.min(Math.max(random.chance(0.7) ? near : random.below(size), 0), size - 1);
  const wanted = random.pick([1, 511, 512, 4096, unit, 2 ** shape.order, random.between(1, 200_000)]);
  return { offset, length: Math.min(wanted, size - offset) };
}
