import { Cluster } from "@siphon/rados";
import { type Image, ImagePool, imageFeature } from "@siphon/rbd";
import { Random } from "../../../../rados/test/support/random.ts";
import { imageFlag } from "../../../../rbd/src/header/image-header.ts";
import { objectState } from "../../../../rbd/src/object-map/object-state.ts";
import { Violation } from "../../rados/faults/block-history.ts";
import { type Loss, LostAnswers } from "./lost-answers.ts";
import { blockBytes, inTime, Model, writeBlock } from "./model.ts";
import { type Before, type Subject, type Task, type TaskName, tasks } from "./tasks.ts";

export interface AnswersOptions {
  readonly conf: string;
  readonly pool: string;
  readonly seed: number;
  readonly only?: readonly TaskName[];
  /** Losses per task, spread over it; by default every possible one. */
  readonly losses?: number;
  /** Milliseconds: all tasks are repeated until then, and no loss begins later. By default each task runs once. */
  readonly until?: number;
  readonly report?: (line: string) => void;
}

export interface AnswersResult {
  /** Losses by task. */
  readonly losses: Partial<Record<TaskName, number>>;
  /** Tasks that succeeded in spite of a loss. */
  succeeded: number;
  failed: number;
  /** Writes after a task that failed. */
  acknowledged: number;
  refused: number;
}

/**
 * Loses a reply of an OSD, or a request to it, during each task that changes an image: one request per run, until every request of the
 * task has been lost once. Then writes continue, and another client checks: acknowledged data is there, with the object map and without
 * it; each snapshot in the header has the right content; and the map marks no existing object as absent.
 *
 * @throws Violation
 */
export async function loseAnswers(options: AnswersOptions): Promise<AnswersResult> {
  const { conf, pool, seed, losses: most = Number.POSITIVE_INFINITY, report = () => {} } = options;
  const identity = { conf, name: "client.admin", env: {} };
  await using faulty = await Cluster.connect(identity);
  await using healthy = await Cluster.connect(identity);
  const answers = new LostAnswers(faulty);
  const random = new Random(seed);
  const result: AnswersResult = { losses: {}, succeeded: 0, failed: 0, acknowledged: 0, refused: 0 };
  const images = await ImagePool.open(faulty, pool);
  const others = await ImagePool.open(healthy, pool);
  let number = 0;
  const end = performance.now() + (options.until ?? Number.POSITIVE_INFINITY);
  const names = options.only ?? (Object.keys(tasks) as TaskName[]);
  do {
    for (const name of names) await loseOf(name);
  } while (options.until !== undefined && performance.now() < end);
  return result;

  async function loseOf(name: TaskName): Promise<void> {
    if (performance.now() > end) return;
    const whole = await run(name, 0, "answer");
    const kinds: Loss[] = ["answer", "request"];
    const all = Array.from({ length: whole }, (_, i) => kinds.map((loss) => ({ nth: i + 1, loss }))).flat();
    while (all.length > most) all.splice(random.below(all.length), 1);
    for (const { nth, loss } of all) {
      if (performance.now() > end) break;
      await run(name, nth, loss).catch((error) => {
        const message = `${name}, with ${nth} of ${whole} lost (${answers.lost}): ${(error as Error).stack}`;
        throw new Violation("lost", message);
      });
      result.losses[name] = (result.losses[name] ?? 0) + 1;
    }
    report(`${name}: ${all.length} losses of ${whole} requests`);
  }

  /** @returns the number of requests of the task */
  async function run(name: TaskName, nth: number, loss: Loss): Promise<number> {
    const task: Task = tasks[name];
    await using stage = await Stage.set(others, `a${process.pid}-${++number}`, random);
    const { before } = stage;
    const image = await images.open(stage.leaf);
    const known = before.now.copy();
    const fill = random.between(1, 255);
    known.wrote(0, fill, await writeBlock(image, 0, fill));
    const subject: Subject = { images, image, group: stage.group };
    answers.lose(nth, loss);
    const ended = task.run(subject).then(
      () => "succeeded" as const,
      (error: unknown) => {
        if (nth === 0) throw error;
        return "failed" as const;
      },
    );
    result[await inTime(ended, "the task")]++;
    const { counted } = answers;
    answers.count();
    // Written blocks must be in the image afterwards. Objects without a write show how the task left the object map.
    const blocks = Array.from(
      { length: known.size / blockBytes / 4 },
      (_, i) => 4 * i + random.below(4),
    ).filter(() => random.chance(0.5));
    const writes: { block: number; fill: number; isThere: boolean }[] = [];
    for (const block of blocks) {
      const fill = random.between(1, 255);
      const isThere = await writeBlock(image, block, fill);
      writes.push({ block, fill, isThere });
      result[isThere ? "acknowledged" : "refused"]++;
    }
    await inTime(image.close(), "closing the image");
    await look(stage, task, { ...before, now: known }, writes);
    return counted;
  }

  async function look(
    { leaf }: Stage,
    task: Task,
    before: Before,
    writes: readonly { block: number; fill: number; isThere: boolean }[],
  ): Promise<void> {
    for (const throughMap of [false, true]) {
      await using image = await others.open(leaf);
      if (throughMap) await inTime(image.locks.acquire(), "taking the lock");
      const after = task.after?.(before, image.size) ?? before.now.copy();
      for (const { block, fill, isThere } of writes) after.wrote(block, fill, isThere);
      await after.check(image, throughMap ? "through the object map" : "without a map");
      for (const { id, name, namespace } of image.snapshots.all()) {
        await using snapshot = await others.open(leaf, { snapshot: id });
        const shown = name === "old" || namespace.type === "trash" ? before.old : undefined;
        if (shown !== undefined) await shown.check(snapshot, `snapshot ${name}`);
        else await before.now.or(before.old).check(snapshot, `snapshot ${name}`);
      }
      if (throughMap) await checkMaps(image);
    }
  }
}

/** No map may omit an existing object, or a change of an object since the previous snapshot. */
async function checkMaps(image: Image): Promise<void> {
  const { header } = image;
  if ((header.features & imageFeature.objectMap) === 0 || (header.flags & imageFlag.objectMapInvalid) !== 0)
    return;
  const snapshots = image.snapshots.list().map(({ name }) => name);
  for (const snapshot of [undefined, ...snapshots]) {
    const flags = snapshot === undefined ? header.flags : image.snapshots.named(snapshot).flags;
    if ((flags & imageFlag.objectMapInvalid) !== 0) continue;
    for (const { objectNumber, marked, found } of await image.checkObjectMap({ snapshot })) {
      const denied = marked === objectState.nonexistent && found !== objectState.nonexistent;
      const hidden = marked === objectState.existsClean && found === objectState.exists;
      if (!denied && !hidden) continue;
      const where = `object ${objectNumber} of ${snapshot ?? "the image"}`;
      throw new Violation("lost", `the object map says ${marked} of ${where}, which is ${found}`);
    }
  }
}

/** A clone with a snapshot, an object map and a group, for one task. */
class Stage implements AsyncDisposable {
  readonly leaf: string;
  readonly group: string;
  readonly before: Before;
  readonly #images: ImagePool;
  readonly #name: string;

  private constructor(images: ImagePool, name: string, before: Before) {
    this.#images = images;
    this.#name = name;
    this.leaf = `${name}-leaf`;
    this.group = `${name}-group`;
    this.before = before;
  }

  static async set(images: ImagePool, name: string, random: Random): Promise<Stage> {
    const shape = { objectSize: 16_384, features: 61 };
    const size = 8 * shape.objectSize;
    const bytes = Buffer.alloc(size);
    await images.create(`${name}-top`, size, shape);
    {
      await using top = await images.open(`${name}-top`);
      await fill(top, bytes, random);
      await top.snapshots.create("s");
      await top.snapshots.protect("s");
    }
    const parent = Model.of(Buffer.from(bytes));
    await images.clone(`${name}-top`, "s", `${name}-leaf`, images, { version: 2, ...shape });
    await using leaf = await images.open(`${name}-leaf`);
    await fill(leaf, bytes, random);
    await leaf.snapshots.create("old");
    const old = Model.of(Buffer.from(bytes));
    await fill(leaf, bytes, random);
    await (await images.groups.create(`${name}-group`)).add(`${name}-leaf`);
    return new Stage(images, name, { now: Model.of(bytes), old, parent });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const images = this.#images;
    await images.groups.remove(this.group);
    {
      await using leaf = await images.open(this.leaf);
      for (const { id, protection, name } of leaf.snapshots.all()) {
        if (protection !== 0) await leaf.snapshots.unprotect(name);
        await leaf.snapshots.removeById(id);
      }
    }
    await images.remove(this.leaf);
    {
      await using top = await images.open(`${this.#name}-top`);
      await top.snapshots.unprotect("s");
      await top.snapshots.remove("s");
    }
    await images.remove(`${this.#name}-top`);
  }
}

/** Some blocks of half of the objects. */
async function fill(image: Image, bytes: Buffer, random: Random): Promise<void> {
  for (let block = random.below(4); block < bytes.length / blockBytes; block += random.between(3, 9)) {
    bytes.fill(random.between(1, 255), block * blockBytes, (block + 1) * blockBytes);
    await image.write(block * blockBytes, bytes.subarray(block * blockBytes, (block + 1) * blockBytes));
  }
}
