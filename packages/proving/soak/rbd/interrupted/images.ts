import type { Random } from "../../../../rados/test/support/random.ts";
import { type Remains, remains } from "./pool-state.ts";
import { featureSets, type Stage, scatter, shape } from "./stage.ts";

/** Makes an image with these bytes. */
export async function makeImage(stage: Stage, random: Random, name: string, bytes: Buffer): Promise<void> {
  const { images } = stage;
  await images.create(name, bytes.length, { ...shape, features: random.pick(featureSets) });
  await using image = await images.open(name);
  const { objectSize } = shape;
  const writes: Promise<void>[] = [];
  for (let at = 0; at < bytes.length; at += objectSize) {
    const part = bytes.subarray(at, at + objectSize);
    if (hasData(part)) writes.push(image.write(at, part));
  }
  await Promise.all(writes);
}

/** A clone, and the remains of other images before it was made. */
export interface MadeClone {
  /** The content. */
  readonly bytes: Buffer;
  readonly others: Remains;
  /** The clone's parent, if it was made for this clone. */
  readonly elder: string | undefined;
}

/**
 * Makes a clone that has some objects of its own. Its parent is `parent@one`, in either clone version; in a third of the cases it is a
 * snapshot that is kept only for its clones.
 */
export async function makeClone(stage: Stage, random: Random, name: string): Promise<MadeClone> {
  const { images, contents } = stage;
  const elder = random.below(3) === 0 ? "elder" : undefined;
  if (elder !== undefined) await makeImage(stage, random, elder, contents.disk);
  const others = remains(await stage.state(), stage.before);
  const features = random.pick(featureSets);
  if (elder === undefined) {
    await images.clone("parent", "one", name, images, { ...shape, features, version: random.pick([1, 2]) });
  } else {
    await cloneOfRemoved(stage, elder, name, features);
  }
  await using image = await images.open(name);
  const bytes = Buffer.from(elder === undefined ? contents["parent@one"] : contents.disk);
  await scatter(image, random, 0.4, bytes);
  return { bytes, others, elder };
}

/** Makes a clone of a snapshot and removes the snapshot, which is then kept for the clone. */
export async function cloneOfRemoved(
  stage: Stage,
  parent: string,
  name: string,
  features: number,
): Promise<void> {
  const { images } = stage;
  await using image = await images.open(parent);
  await image.snapshots.create("gone");
  await images.clone(parent, "gone", name, images, { ...shape, features, version: 2 });
  await image.refresh();
  await image.snapshots.remove("gone");
}

/** The number of objects that hold these bytes. */
export function objectsIn(bytes: Buffer): number {
  const { objectSize } = shape;
  let objects = 0;
  for (let at = 0; at < bytes.length; at += objectSize) {
    if (hasData(bytes.subarray(at, at + objectSize))) objects++;
  }
  return objects;
}

function hasData(bytes: Buffer): boolean {
  return bytes.some((byte) => byte !== 0);
}
