import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Cluster } from "@siphon/rados";
import { type Image, ImagePool, imageFeature, preparePool } from "@siphon/rbd";
import { Random } from "../../../../rados/test/support/random.ts";
import { type PoolState, poolState } from "./pool-state.ts";
import { type Program, rbdProgram, SiphonShell } from "./programs.ts";

/** Small objects: an image has many of them, and copying all of them takes little time. */
export const shape = { objectSize: 16_384, size: 48 * 16_384 };

/** Feature sets that differ in what must be kept consistent: nothing, a lock, or object maps. */
export const featureSets: readonly number[] = [
  imageFeature.layering,
  imageFeature.layering | imageFeature.exclusiveLock,
  61,
];

/** Contents of the images that every pool has, and of their snapshots. */
export type Contents = Readonly<
  Record<"parent@one" | "disk@one" | "disk" | "family@first" | "family@second" | "family", Buffer>
>;

/** A pool of its own with permanent images, and the programs that work on it. */
export class Stage implements AsyncDisposable {
  readonly conf: string;
  readonly pool: string;
  readonly images: ImagePool;
  readonly contents: Contents;
  /** The state of the pool before any operation. */
  readonly before: PoolState;
  /** Path of a file with the diff of `disk` from `one` to `two`. */
  readonly diff: string;
  /** Directory of compiled modules. */
  readonly compiled: string;
  readonly rbd: Program;
  readonly siphon: Program;
  readonly #shell: SiphonShell;

  private constructor(where: StagePlace, images: ImagePool, contents: Contents, before: PoolState) {
    this.conf = where.conf;
    this.pool = where.pool;
    this.diff = join(where.directory, `${where.pool}.diff`);
    this.compiled = join(where.directory, "compiled");
    this.images = images;
    this.contents = contents;
    this.before = before;
    this.#shell = new SiphonShell(where.conf);
    this.rbd = rbdProgram(where.conf);
    this.siphon = this.#shell.program;
  }

  static async set(cluster: Cluster, where: StagePlace): Promise<Stage> {
    const { images, contents } = await furnish(cluster, where.pool);
    const stage = new Stage(where, images, contents, await poolState(images.pool));
    await stage.rbd.run(
      "export-diff",
      "--from-snap",
      "one",
      stage.spec("disk@two"),
      stage.diff,
      "--no-progress",
    );
    return stage;
  }

  spec(image: string): string {
    return `${this.pool}/${image}`;
  }

  state(): Promise<PoolState> {
    return poolState(this.images.pool);
  }

  /** Runs Ceph's rados in the pool. */
  async rados(...args: string[]): Promise<string> {
    const where = ["--pool", this.pool, "--conf", this.conf, "--name", "client.admin"];
    return (await execute("rados", [...where, ...args], { timeout: 120_000 })).stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shell[Symbol.asyncDispose]();
  }
}

interface StagePlace {
  conf: string;
  pool: string;
  /** Directory for files. */
  directory: string;
}

/**
 * Makes a pool with images that no operation may change: `parent` with a protected snapshot `one`; `family`, a clone of it with
 * snapshots; and `disk` with two snapshots.
 */
async function furnish(cluster: Cluster, name: string): Promise<{ images: ImagePool; contents: Contents }> {
  await cluster.createPool({ name, pgs: 8, size: 1 });
  const images = await ImagePool.open(cluster, name);
  await preparePool(images);
  // All pools have the same contents.
  const random = new Random(1);
  const parent = Buffer.alloc(shape.size);
  await images.create("parent", shape.size, shape);
  {
    await using image = await images.open("parent");
    await scatter(image, random, 0.7, parent);
    await image.snapshots.create("one");
    await image.snapshots.protect("one");
  }
  const one = Buffer.alloc(shape.size);
  await images.create("disk", shape.size, shape);
  await using disk = await images.open("disk");
  await disk.metadata.set(new Map([["made-by", "nobody"]]));
  await scatter(disk, random, 0.7, one);
  await disk.snapshots.create("one");
  const two = Buffer.from(one);
  await scatter(disk, random, 0.5, two);
  await disk.snapshots.create("two");

  const first = Buffer.from(parent);
  await images.clone("parent", "one", "family", images, { ...shape, version: 2 });
  await using family = await images.open("family");
  await scatter(family, random, 0.4, first);
  await family.snapshots.create("first");
  const second = Buffer.from(first);
  await scatter(family, random, 0.4, second);
  await family.snapshots.create("second");
  await family.snapshots.protect("second");
  const now = Buffer.from(second);
  await scatter(family, random, 0.4, now);

  // Makes the objects that the first image to need them creates and that then stay.
  await images.clone("parent", "one", "passing", images, { ...shape, version: 1 });
  await images.trash.remove(await images.trash.move("passing"));
  const contents = { "parent@one": parent, "disk@one": one, disk: two };
  return { images, contents: { ...contents, "family@first": first, "family@second": second, family: now } };
}

/** Writes at random places in about this part of the image's objects, and records the content in `model`. */
export async function scatter(image: Image, random: Random, part: number, model: Buffer): Promise<void> {
  const { objectSize } = image.header;
  const writes: Promise<void>[] = [];
  for (let start = 0; start < model.length; start += objectSize) {
    if (!random.chance(part)) continue;
    const offset = start + 512 * random.below(objectSize / 1024);
    const bytes = Buffer.alloc(
      512 * random.between(1, (start + objectSize - offset) / 512),
      random.between(1, 255),
    );
    bytes.copy(model, offset);
    writes.push(image.write(offset, bytes));
  }
  await Promise.all(writes);
  await image.flush();
}

const execute = promisify(execFile);
