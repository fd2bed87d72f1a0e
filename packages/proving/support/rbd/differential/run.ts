import assert from "node:assert/strict";
import { Random } from "../../../../rados/test/support/random.ts";
import type { SiphonDiskClient } from "./disk-client.ts";
import type { LibrbdClient } from "./librbd-client.ts";
import { ImageModel } from "./model.ts";
import { type Client, largest, randomShape, randomStep, type Step } from "./steps.ts";

export interface DifferentialOptions {
  readonly seed: number;
  readonly steps: number;
  /** Feature bits of the images. */
  readonly features: number;
  readonly clients: { siphon: SiphonDiskClient; librbd: LibrbdClient };
  /** Prefix of the images' names, which must be free. */
  readonly prefix: string;
  /** Steps to run instead of random ones. Steps that are no longer possible are skipped. */
  readonly replay?: readonly Step[];
  /** Called at the end, when all images are closed, with each image that was used. */
  readonly check?: (image: ImageModel) => Promise<void>;
  readonly onStep?: (index: number, step: Step) => void;
}

/** The failure, with everything needed to reproduce it. */
export class DifferentialFailure extends Error {
  readonly steps: readonly Step[];

  constructor(seed: number, steps: readonly Step[], cause: unknown) {
    const last = JSON.stringify(steps.at(-1));
    super(`seed ${seed}, step ${steps.length} (${last}): ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
    this.steps = steps;
  }
}

/**
 * Runs random steps by our client and by librbd in turns, on an image that both have open. After every step, one of them reads
 * the whole image, which must equal the model.
 */
export async function runDifferential(options: DifferentialOptions): Promise<void> {
  const random = new Random(options.seed);
  const run = new Run(options, random);
  await run.begin();
  const count = options.replay?.length ?? options.steps;
  for (let index = 0; index < count; index++) {
    const step = options.replay?.[index] ?? randomStep(random, run.image, index);
    if (options.replay !== undefined && !run.allows(step)) continue;
    options.onStep?.(index, step);
    await run.step(step, random.pick(["siphon", "librbd"] as const));
  }
  await run.end();
}

class Run {
  image: ImageModel;
  readonly #options: DifferentialOptions;
  readonly #parents: ImageModel[] = [];
  readonly #done: Step[] = [];
  #hasObjectMap: boolean;

  constructor(options: DifferentialOptions, random: Random) {
    this.#options = options;
    this.#hasObjectMap = (options.features & objectMap) !== 0;
    const size = random.between(1, largest);
    this.image = new ImageModel(`${options.prefix}-0`, randomShape(random), Buffer.alloc(size));
  }

  async begin(): Promise<void> {
    const { name, bytes, shape } = this.image;
    await this.#options.clients.librbd.create(name, bytes.length, this.#options.features, shape);
    await this.#open(name);
  }

  async end(): Promise<void> {
    await this.#close(this.image.name);
    const { check } = this.#options;
    try {
      for (const image of [...this.#parents, this.image]) await check?.(image);
    } catch (error) {
      throw new DifferentialFailure(this.#options.seed, this.#done, error);
    }
  }

  allows(step: Step): boolean {
    const { bytes, snapshots, ancestors } = this.image;
    if ("snapshot" in step && step.op !== "createSnapshot" && !snapshots.has(step.snapshot)) return false;
    if ("offset" in step && step.offset + step.length > bytes.length) return false;
    if (step.op === "burst") return step.writes.every((write) => write.offset + write.length <= bytes.length);
    return step.op !== "flatten" || ancestors > 0;
  }

  /** Executes a step, and compares what `reader` then reads. */
  async step(step: Step, reader: Client): Promise<void> {
    this.#done.push(step);
    try {
      await this.#carryOut(step);
      await this.#compare(reader);
    } catch (error) {
      throw new DifferentialFailure(this.#options.seed, this.#done, error);
    }
  }

  async #carryOut(step: Step): Promise<void> {
    const { siphon, librbd } = this.#options.clients;
    const { image } = this;
    const { name, bytes } = image;
    const client = this.#options.clients[step.by];
    switch (step.op) {
      case "write": {
        const data = pattern(step.length, step.fill);
        await client.write(name, step.offset, data);
        data.copy(bytes, step.offset);
        return;
      }
      case "burst": {
        const writes = step.writes.map(({ offset, length, fill }) => ({
          offset,
          bytes: pattern(length, fill),
        }));
        await siphon.burst(name, writes);
        for (const write of writes) write.bytes.copy(bytes, write.offset);
        return;
      }
      case "discard":
        await client.discard(name, step.offset, step.length);
        image.discard(step.offset, step.length);
        return;
      case "writeZeroes":
        await client.writeZeroes(name, step.offset, step.length);
        image.writeZeroes(step.offset, step.length);
        return;
      case "writeSame": {
        const data = pattern(step.pattern, step.fill);
        await siphon.writeSame(name, step.offset, step.length, data);
        bytes.fill(data, step.offset, step.offset + step.length);
        return;
      }
      case "compareAndWrite":
        await this.#compareAndWrite(step);
        return;
      case "resize":
        await client.resize(name, step.size);
        image.resize(step.size);
        return;
      case "createSnapshot":
        await client.createSnapshot(name, step.snapshot);
        image.snapshots.set(step.snapshot, Buffer.from(bytes));
        return;
      case "removeSnapshot":
        await client.removeSnapshot(name, step.snapshot);
        image.snapshots.delete(step.snapshot);
        return;
      case "rollBack":
        if (step.by === "librbd") {
          await siphon.releaseLock(name);
          image.rolledBackByLibrbd = true;
        }
        await client.rollBack(name, step.snapshot);
        image.bytes = Buffer.from(image.snapshots.get(step.snapshot)!);
        return;
      case "readSnapshot": {
        const expected = image.snapshots.get(step.snapshot)!;
        const found = await client.read(name, 0, expected.length, step.snapshot);
        assertSame(found, expected, `${step.by} reads snapshot ${step.snapshot}`);
        return;
      }
      case "clone":
        await this.#clone(step.by, step.snapshot, `${this.#options.prefix}-${step.child}`, step.shape);
        return;
      case "flatten":
        await client.flatten(name);
        image.ancestors = 0;
        return;
      case "flush":
        await client.flush(name);
        return;
      case "reopen":
        await client.close(name);
        await client.open(name);
        return;
      case "setObjectMap":
        if ((this.#options.features & objectMap) === 0 || step.on === this.#hasObjectMap) return;
        await siphon.releaseLock(name);
        await librbd.setObjectMap(name, step.on, [...image.snapshots.keys()]);
        this.#hasObjectMap = step.on;
    }
  }

  async #compareAndWrite({ offset, length, fill, matches }: Step & { op: "compareAndWrite" }): Promise<void> {
    const { name, bytes } = this.image;
    const expected = Buffer.from(bytes.subarray(offset, offset + length));
    const wrong = fill % length;
    if (!matches) expected[wrong]! ^= 0xff;
    const data = pattern(length, fill);
    const differs = await this.#options.clients.siphon.compareAndWrite(name, offset, expected, data);
    assert.equal(differs, matches ? undefined : offset + wrong);
    if (matches) data.copy(bytes, offset);
    else this.image.leavePerhapsUnchanged(offset, length);
  }

  /** The clone replaces the image. */
  async #clone(by: Client, snapshot: string, name: string, shape: ImageModel["shape"]): Promise<void> {
    const { image } = this;
    await this.#options.clients[by].clone(image.name, snapshot, name, this.#options.features, shape);
    await this.#close(image.name);
    this.#parents.push(image);
    this.#hasObjectMap = (this.#options.features & objectMap) !== 0;
    this.image = new ImageModel(
      name,
      shape,
      Buffer.from(image.snapshots.get(snapshot)!),
      image.ancestors + 1,
    );
    await this.#open(name);
  }

  async #compare(reader: Client): Promise<void> {
    const { name, bytes } = this.image;
    // Others see what a cache has acknowledged only after a flush.
    if (reader === "librbd") await this.#options.clients.siphon.flush(name);
    const found = await this.#options.clients[reader].read(name, 0, bytes.length);
    assertSame(found, bytes, `${reader} reads`);
  }

  async #open(name: string): Promise<void> {
    const { siphon, librbd } = this.#options.clients;
    await librbd.open(name);
    await siphon.open(name);
  }

  async #close(name: string): Promise<void> {
    const { siphon, librbd } = this.#options.clients;
    await siphon.close(name);
    await librbd.close(name);
  }
}

const objectMap = 8;

/** Bytes that identify their position, with runs of zeros among them. */
export function pattern(length: number, fill: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = ((i >> 10) & 7) === 7 ? 0 : (fill + i * 7 + (i >> 8)) & 255;
  return bytes;
}

function assertSame(found: Buffer, expected: Buffer, what: string): void {
  assert.equal(found.length, expected.length, `${what} ${found.length} bytes`);
  if (found.equals(expected)) return;
  let at = 0;
  while (found[at] === expected[at]) at++;
  let end = expected.length;
  while (found[end - 1] === expected[end - 1]) end--;
  const [got, wanted] = [found, expected].map((bytes) => bytes.toString("hex", at, at + 8));
  assert.fail(`${what} other bytes between ${at} and ${end}: ${got}..., not ${wanted}...`);
}
