import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Cluster } from "@siphon/rados";
import { type Image, ImagePool, imageFeature } from "@siphon/rbd";
import { Random } from "../../../../rados/test/support/random.ts";
import { objectMapErrors } from "../../../support/rbd/differential/object-map-check.ts";
import { until } from "../../../support/until.ts";
import { Violation } from "../../rados/faults/block-history.ts";
import { BlockLoad } from "../faults/block-load.ts";

export interface ChainsOptions {
  readonly conf: string;
  readonly pool: string;
  readonly seed: number;
  /** Minimum duration; at least four chains: of each depth, with object maps and without. */
  readonly seconds: number;
  readonly report?: (line: string) => void;
}

export interface ChainsResult {
  chains: number;
  flattened: number;
  removed: number;
  renamed: number;
  copied: number;
  reads: number;
  writes: number;
  copyUps: number;
  parentReads: number;
}

/**
 * Chains of clones up to three deep, whose last clone is read and written, and whose other images' snapshots are read,
 * while the images in the middle are flattened, by siphon or by rbd, renamed, deep-copied, and removed once they are no
 * longer needed.
 *
 * @throws Violation, or the first error of a read or write: none may fail
 */
export async function runChains(options: ChainsOptions): Promise<ChainsResult> {
  const { conf, pool, seed, seconds, report = () => {} } = options;
  const identity = { conf, name: "client.admin", env: {} };
  await using mine = await Cluster.connect(identity);
  await using other = await Cluster.connect(identity);
  const stage = { conf, images: await ImagePool.open(mine, pool), others: await ImagePool.open(other, pool) };
  const random = new Random(seed);
  const result: ChainsResult = {
    ...{ chains: 0, flattened: 0, removed: 0, renamed: 0, copied: 0 },
    ...{ reads: 0, writes: 0, copyUps: 0, parentReads: 0 },
  };
  const end = performance.now() + seconds * 1000;
  while (result.chains < 4 || performance.now() < end) {
    const depth = (result.chains % 3) + 1;
    const features = result.chains % 2 === 0 ? allFeatures : allFeatures & ~mapFeatures;
    await new Chain(stage, `c${process.pid}-${result.chains}`, features, random, result).live(depth);
    result.chains++;
    report(
      `${result.chains} chains, the last one ${depth} deep: ${result.writes} writes, ${result.reads} reads`,
    );
  }
  return result;
}

interface Stage {
  readonly conf: string;
  readonly images: ImagePool;
  readonly others: ImagePool;
}

class Chain {
  readonly #stage: Stage;
  readonly #prefix: string;
  readonly #shape: { features: number; objectSize: number };
  readonly #random: Random;
  readonly #result: ChainsResult;
  /** Names of the leaf's ancestors, the oldest first. */
  readonly #ancestors: string[] = [];
  #names = 0;

  constructor(stage: Stage, prefix: string, features: number, random: Random, result: ChainsResult) {
    this.#stage = stage;
    this.#prefix = prefix;
    this.#shape = { features, objectSize: 65_536 };
    this.#random = random;
    this.#result = result;
  }

  async live(depth: number): Promise<void> {
    const { images, others, conf } = this.#stage;
    const load = new BlockLoad(this.#random);
    const leaf = await this.#grow(depth, load);
    await using image = await images.open(leaf);
    const shown = await Promise.all(this.#ancestors.map((name) => this.#openSnapshot(name)));
    const stop = new AbortController();
    const failed = new AbortController();
    const watched = <T>(running: Promise<T>) => {
      running.catch((error) => failed.abort(error));
      return running;
    };
    const running = Promise.allSettled([
      watched(load.run(image, stop.signal)),
      ...shown.map((snapshot) => watched(snapshot.read(stop.signal))),
    ]);
    const goesOn = async () => {
      const before = load.operations;
      await until(() => load.operations > before + 100, {
        signal: failed.signal,
        progress: () => load.operations,
      });
    };
    try {
      while (this.#ancestors.length > 1) {
        await this.#disturb();
        await goesOn();
      }
      // Either the leaf's owner flattens it, or another client asks the owner to.
      if (this.#random.chance(0.5)) {
        await image.flatten();
        this.#result.flattened++;
      } else {
        await this.#flatten(leaf);
      }
      await this.#remove(this.#ancestors[0]!);
      await goesOn();
    } finally {
      stop.abort();
      await running;
    }
    failed.signal.throwIfAborted();
    for (const snapshot of shown) await snapshot.close();
    const { copyUps, parentReads } = image.counters;
    this.#result.copyUps += copyUps;
    this.#result.parentReads += parentReads;
    this.#result.reads += load.counts.reads;
    this.#result.writes += load.counts.writes;
    await image.close();
    await using again = await others.open(leaf, { readOnly: true });
    await load.verify(again);
    await again.close();
    const errors = await objectMapErrors(conf, "client.admin", `${others.pool.name}/${leaf}`);
    if (errors.length > 0) throw new Violation("lost", errors.join("; "));
    await others.remove(leaf);
  }

  /** @returns the last clone's name */
  async #grow(depth: number, load: BlockLoad): Promise<string> {
    const { images } = this.#stage;
    const size = 2 ** 21;
    let name = this.#name();
    await images.create(name, size, this.#shape);
    for (let clones = 0; clones <= depth; clones++) {
      await using image = await images.open(name);
      if (clones === 0) await load.prepare(image);
      else await load.write(image, 8);
      if (clones === depth) return name;
      await image.snapshots.create("s");
      this.#ancestors.push(name);
      const next = this.#name();
      await images.clone(name, "s", next, images, { version: 2, ...this.#shape });
      name = next;
    }
    return name;
  }

  /** One change of the leaf's ancestors. */
  async #disturb(): Promise<void> {
    const { others } = this.#stage;
    const index = this.#random.below(this.#ancestors.length);
    const name = this.#ancestors[index]!;
    const what = this.#random.below(4);
    if (what === 0) {
      const to = this.#name();
      await others.rename(name, to);
      this.#ancestors[index] = to;
      this.#result.renamed++;
    } else if (what === 1) {
      const copy = this.#name();
      await others.deepCopy(name, copy);
      await this.#removeImage(copy);
      this.#result.copied++;
    } else if (index > 0) {
      await this.#flatten(name);
      // The flattened image no longer needs its ancestors.
      for (const gone of this.#ancestors.splice(0, index).toReversed()) await this.#remove(gone);
    }
  }

  async #flatten(name: string): Promise<void> {
    const { others, conf } = this.#stage;
    if (this.#random.chance(0.5)) {
      await run("rbd", ["--conf", conf, "--no-progress", "flatten", `${others.pool.name}/${name}`]);
    } else {
      await using image = await others.open(name);
      await image.flatten();
    }
    this.#result.flattened++;
  }

  async #remove(name: string): Promise<void> {
    await this.#removeImage(name);
    this.#result.removed++;
  }

  async #removeImage(name: string): Promise<void> {
    const { others } = this.#stage;
    {
      await using image = await others.open(name);
      for (const { id } of image.snapshots.all()) await image.snapshots.removeById(id);
    }
    // Readers of its snapshots must close it first.
    for (let tries = 0; ; tries++) {
      try {
        return await others.remove(name);
      } catch (error) {
        if (tries > 100 || (error as { code?: string }).code !== "SIPHON_RBD_BUSY") throw error;
        await sleep(100);
      }
    }
  }

  /** Reads a snapshot as long as it exists, with a client that gets no notifications of changes. */
  async #openSnapshot(name: string) {
    const { images } = this.#stage;
    const image: Image = await images.open(name, { snapshot: "s", watch: false });
    const content = await image.read(0, image.size);
    return {
      read: async (signal: AbortSignal) => {
        while (!signal.aborted) {
          try {
            const found = await image.read(0, image.size);
            if (!found.equals(content))
              throw new Violation("torn", `snapshot ${name}@s shows something else`);
          } catch (error) {
            if (gone.has((error as { code?: string }).code ?? "")) return;
            throw error;
          }
          await sleep(20);
        }
      },
      close: () => image.close(),
    };
  }

  #name(): string {
    return `${this.#prefix}-${this.#names++}`;
  }
}

const gone: ReadonlySet<string> = new Set(["SIPHON_RBD_NO_SNAPSHOT", "SIPHON_RBD_NO_IMAGE"]);
const { layering, exclusiveLock, objectMap, fastDiff, deepFlatten } = imageFeature;
const mapFeatures = objectMap | fastDiff;
const allFeatures = layering | exclusiveLock | deepFlatten | mapFeatures;
const run = promisify(execFile);
