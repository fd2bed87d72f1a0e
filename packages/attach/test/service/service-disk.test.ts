import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";
import type { ServedPoint } from "../../src/server/attachment.ts";
import { defineDisk } from "../../src/service/disk-words.ts";
import { ServiceDisk } from "../../src/service/service-disk.ts";
import type { Worker } from "../../src/service/worker.ts";
import type { ShardTask } from "../../src/shards/messages.ts";

/** A worker whose tasks the test ends, one after the other. */
class HeldWorker extends EventEmitter implements Worker {
  readonly state = undefined;
  readonly tasks: ShardTask[] = [];
  readonly #held: PromiseWithResolvers<readonly ServedPoint[]>[] = [];

  async start(): Promise<void> {}

  carryOut(task: ShardTask): Promise<readonly ServedPoint[]> {
    const held = Promise.withResolvers<readonly ServedPoint[]>();
    this.tasks.push(task);
    this.#held.push(held);
    this.emit("task");
    return held.promise;
  }

  async next(error?: Error): Promise<string> {
    if (this.#held.length === 0) await once(this, "task");
    const held = this.#held.shift()!;
    if (error === undefined) held.resolve([]);
    else held.reject(error);
    return this.tasks.at(-1 - this.#held.length)!.do;
  }

  async measure() {
    return [];
  }

  async stop(): Promise<void> {}
  kill(): void {}
}

async function newDisk(drainTimeout = 60_000) {
  const definition = await defineDisk("vm1", { image: "pool/vm1" }, { socketDirectory: "/run", access: {} });
  const worker = new HeldWorker();
  const lines: string[] = [];
  const disk = new ServiceDisk(definition, true, worker, {
    log: (line) => void lines.push(line),
    drainTimeout,
  });
  return { disk, worker, lines };
}

test("a disk that fails is tried again, and says so once", async () => {
  const { disk, worker, lines } = await newDisk();
  const first = disk.keepTrying();
  await worker.next(new Error("no image"));
  await first;
  assert.equal(disk.phase, "failed");
  await worker.next(new Error("no image"));
  assert.equal(await worker.next(), "add");
  await disk.keepTrying();
  assert.equal(disk.phase, "serving");
  assert.deepEqual(lines, [
    "vm1: cannot serve pool/vm1: no image; siphon tries again",
    "vm1: pool/vm1 is served",
  ]);
});

test("a disk whose shard ended is served again, and one that is drained is not", async () => {
  const { disk, worker } = await newDisk();
  const started = disk.start();
  await worker.next();
  await started;
  disk.lost("was killed");
  assert.match(disk.error?.message ?? "", /its shard was killed/);
  await worker.next();
  await disk.keepTrying();
  assert.deepEqual([disk.phase, disk.error], ["serving", undefined]);
  const drained = disk.drain();
  assert.equal(await worker.next(), "remove");
  await drained;
  disk.lost("was killed");
  assert.equal(disk.phase, "drained");
  assert.equal(worker.tasks.length, 3);
});

test("a drain that takes too long is told, goes on, and ends", async () => {
  const { disk, worker } = await newDisk(1);
  const started = disk.start();
  await worker.next();
  await started;
  await assert.rejects(disk.drain(), { code: "SIPHON_ATTACH_DRAIN" });
  assert.equal(disk.phase, "draining");
  await assert.rejects(disk.start(), /still being drained/);
  await worker.next();
  await disk.idle();
  assert.equal(disk.phase, "drained");
});

test("a disk that is retired is never served again", async () => {
  const { disk, worker } = await newDisk();
  const failed = disk.keepTrying();
  await worker.next(new Error("no image"));
  await failed;
  await disk.retire();
  await disk.keepTrying();
  assert.equal(worker.tasks.length, 1);
  await assert.rejects(disk.start(), /is being removed/);
});
