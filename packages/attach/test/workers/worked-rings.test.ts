import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Worker } from "node:worker_threads";
import type { Image } from "@siphon/rbd";
import { IoMetrics, ioKind } from "../../src/server/io-metrics.ts";
import { blkFeature } from "../../src/vhost/blk/config-space.ts";
import type { VhostEvent } from "../../src/vhost/events.ts";
import { vringState } from "../../src/vhost/protocol/payloads.ts";
import { VhostServer } from "../../src/vhost/server.ts";
import type { PartStart } from "../../src/workers/messages.ts";
import { WorkedDisk } from "../../src/workers/worked-disk.ts";
import type { DiskThreadStart } from "../support/disk-thread.ts";
import { FrontEnd, type FrontEndOptions } from "../support/front-end.ts";
import { blkType, GuestDriver } from "../support/guest-driver.ts";
import { SharedDisk } from "../support/shared-disk.ts";

const directory = mkdtempSync(join(tmpdir(), "siphon-worked-rings-"));
after(() => rmSync(directory, { recursive: true, force: true }));
let sockets = 0;
const threadProgram = new URL("../support/disk-thread.ts", import.meta.url);

const count = 2;
const MiB = 1 << 20;
/** Of the disk, at first. */
const size = 16 * MiB;
const mostBytes = 2 * size;
const good = { status: 0, written: 1 };
/** Where data is put in the guest's memory, for a queue: behind the headers of all queues. */
const dataAt = (queue: number) => (4 + 2 * queue) * MiB;

/** A disk in memory that two threads serve, each one ring of two. */
class Rig {
  readonly shared: SharedDisk;
  readonly events: VhostEvent[] = [];
  readonly threads: Worker[] = [];
  disk!: WorkedDisk;
  readonly #resized = new Set<() => void>();
  #fail!: (error: Error) => void;

  static async start(shared: SharedDisk): Promise<Rig> {
    const rig = new Rig(shared);
    const name = "pool/disk";
    rig.disk = await WorkedDisk.start(rig.#image(), {
      ...{ name, onError: "report", maxInFlight: undefined, metrics: new IoMetrics(), log: () => {} },
      pauses: { paused: () => {}, resumed: () => {} },
    });
    return rig;
  }

  private constructor(shared: SharedDisk) {
    this.shared = shared;
  }

  /** Serves it from now on; requests and events are counted anew. */
  serve(patience = 5000): Promise<VhostServer> {
    this.events.length = 0;
    this.shared.forget();
    return VhostServer.listen({
      ...{ device: this.disk.device, elsewhere: this.disk.rings, patience },
      socket: join(directory, `${sockets++}.sock`),
      report: (event) => this.events.push(event),
    });
  }

  resize(bytes: number): void {
    this.shared.size = bytes;
    for (const listener of this.#resized) listener();
  }

  /** Ends its threads, as a process whose worker has failed. */
  async end(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.terminate()));
    this.#fail(new Error("a worker ended"));
  }

  /** The image, as far as its owner asks for it. */
  #image(): Image {
    const { shared } = this;
    const start = (
      _: URL,
      data: PartStart,
      { onMessage }: { onMessage(message: unknown, index: number): void },
    ) => {
      const { memory } = shared;
      const ended = new Promise((_, reject) => {
        this.#fail = reject;
      });
      for (let index = 0; index < count; index++) {
        const workerData: DiskThreadStart = { memory, index, count, data };
        const thread = new Worker(threadProgram, { workerData, trackUnmanagedFds: false });
        thread.on("message", (message) => onMessage(message, index));
        this.threads.push(thread);
      }
      const tell = (index: number, message: unknown) => this.threads[index]!.postMessage(message);
      return { ended, tell };
    };
    const onResize = (listener: () => void): Disposable => {
      this.#resized.add(listener);
      return { [Symbol.dispose]: () => this.#resized.delete(listener) };
    };
    return Object.assign(shared, {
      ...{ workers: { count, start }, onResize, volatile: false, optimalIoSize: 4 * MiB },
      header: { snapshots: new Map() },
    }) as never;
  }
}

const rig = await Rig.start(SharedDisk.create(mostBytes, count));
rig.shared.size = size;
after(() => rig.end());

const connect = ({ socket }: VhostServer, options: FrontEndOptions = {}): Promise<FrontEnd> =>
  FrontEnd.connect(socket, { queues: count, ...options });

/** Until each thread was given so many requests. */
async function begun(requests: number): Promise<void> {
  while (rig.shared.asked.some((asked) => asked < requests)) await new Promise(setImmediate);
}

test("each ring is served by its own worker, which reads what the other one's guest wrote", async () => {
  await using server = await rig.serve();
  using frontEnd = await connect(server, { regions: 4, memoryBytes: 64 * MiB });
  const drivers = frontEnd.queues.map((_, queue) => new GuestDriver(frontEnd, queue));
  const bytes = drivers.map(() => randomBytes(MiB));
  const inBlocks = (each: (driver: GuestDriver, queue: number, at: number) => Promise<unknown>) =>
    Promise.all(
      drivers.flatMap((driver, queue) =>
        Array.from({ length: MiB / 65536 }, (_, block) => each(driver, queue, block * 65536)),
      ),
    );
  for (const queue of drivers.keys()) frontEnd.memory.set(bytes[queue]!, dataAt(queue));
  await inBlocks(async (driver, queue, at) => {
    const layout = { pieces: [512, 20_000, 30_000] };
    assert.deepEqual(await driver.write(queue * MiB + at, dataAt(queue) + at, 65536, layout), good);
  });
  assert.deepEqual(await Promise.all(drivers.map((driver) => driver.flush())), [good, good]);
  await inBlocks(async (driver, queue, at) => {
    const offset = (1 - queue) * MiB + at;
    assert.equal((await driver.read(offset, dataAt(queue) + at, 65536)).status, 0);
  });
  for (const queue of drivers.keys()) {
    assert.ok(
      frontEnd.memory
        .subarray(dataAt(queue))
        .subarray(0, MiB)
        .equals(bytes[1 - queue]!),
    );
  }
  assert.deepEqual(rig.shared.asked, [33, 33]);
  const { metrics } = rig.disk;
  assert.deepEqual([metrics.operations[ioKind.write], metrics.operations[ioKind.flush]], [32, 2]);
  assert.deepEqual([metrics.bytes[ioKind.read], metrics.connections, metrics.inFlight], [2 * MiB, 1, 0]);
});

test("discards, zeros, errors and a ring that is broken are each worker's own", async () => {
  await using server = await rig.serve();
  using frontEnd = await connect(server);
  const [first, second] = frontEnd.queues.map((_, queue) => new GuestDriver(frontEnd, queue));
  frontEnd.memory.fill(7, dataAt(0), dataAt(0) + 65536);
  assert.deepEqual(await first!.write(0, dataAt(0), 65536), good);
  for (const type of [blkType.discard, blkType.writeZeroes]) {
    const ranges = [{ offset: type * 4096, length: 4096 }];
    assert.deepEqual(await second!.ranges(type, ranges, dataAt(1)), good);
  }
  await second!.read(0, dataAt(1), 65536);
  const zeros = [...Array(16).keys()].filter((block) => frontEnd.memory[dataAt(1) + block * 4096] === 0);
  assert.deepEqual(zeros, [blkType.discard, blkType.writeZeroes]);
  assert.deepEqual(await second!.read(size, dataAt(1), 512), { status: 1, written: 1 });
  second!.ring.setAvailableIndex(second!.ring.usedIdx + 2000);
  frontEnd.kick(1);
  while (rig.events.length < 2) await new Promise(setImmediate);
  const reason = "an available index ahead of its ring";
  assert.deepEqual(rig.events[1], { type: "fault", queue: 1, reason });
  assert.deepEqual(await first!.flush(), good);
});

test("a ring is stopped when its worker has given back what was under way", async () => {
  await using server = await rig.serve();
  using frontEnd = await connect(server);
  const drivers = frontEnd.queues.map((_, queue) => new GuestDriver(frontEnd, queue));
  rig.shared.hold();
  const writes = drivers.flatMap((driver, queue) => [
    driver.write(0, dataAt(queue), 512),
    driver.write(512, dataAt(queue), 512),
  ]);
  while (rig.shared.asked.join() !== "2,2") await new Promise(setImmediate);
  const stopped = frontEnd.stopQueue(1);
  rig.shared.release();
  assert.equal(await stopped, 2);
  assert.equal(drivers[1]!.ring.usedIdx, 2);
  assert.deepEqual(await Promise.all(writes), [good, good, good, good]);
  assert.equal(await frontEnd.stopQueue(0), 2);
});

test("memory comes and goes while both rings run, and each worker finds what is new", async () => {
  await using server = await rig.serve();
  using frontEnd = await connect(server, { regions: 4, memoryBytes: 32 * MiB });
  const drivers = frontEnd.queues.map((_, queue) => new GuestDriver(frontEnd, queue));
  const [last] = frontEnd.regionPayloads().slice(-1);
  const inLast = frontEnd.memory.length - MiB;
  let running = true;
  const load = drivers.map(async (driver, queue) => {
    while (running) assert.equal((await driver.read(0, dataAt(queue), 65536)).status, 0);
  });
  for (let round = 0; round < 10; round++) {
    await frontEnd.check("remMemReg", last!);
    await frontEnd.check("addMemReg", last!, [frontEnd.memoryFd]);
    for (const driver of drivers) assert.equal((await driver.write(0, inLast, 4096)).status, 0);
  }
  assert.equal(await frontEnd.accepted("remMemReg", Buffer.alloc(40, 1)), false);
  running = false;
  await Promise.all(load);
});

test("no worker begins a request while one that nobody waits for is under way in another", async () => {
  await using server = await rig.serve(1);
  using frontEnd = await connect(server);
  const [first] = frontEnd.queues.map((_, queue) => new GuestDriver(frontEnd, queue));
  rig.shared.hold();
  frontEnd.memory.fill("a", dataAt(0), dataAt(0) + 512);
  void first!.write(0, dataAt(0), 512);
  while (rig.shared.asked[0] === 0) await new Promise(setImmediate);
  for (const queue of [0, 1]) await frontEnd.stopQueue(queue);
  // As a guest that boots again, and uses the other ring.
  frontEnd.memory.fill(0);
  frontEnd.inflight = undefined;
  await frontEnd.setInflight();
  await frontEnd.startQueue(1, 128);
  const read = new GuestDriver(frontEnd, 1).read(0, dataAt(1), 512);
  // The worker looks at its ring before it answers.
  await frontEnd.check("setVringEnable", vringState({ index: 1, num: 1 }));
  assert.deepEqual(rig.shared.asked, [1, 0]);
  rig.shared.release();
  assert.equal((await read).status, 0);
  assert.deepEqual(frontEnd.memory.subarray(dataAt(1), dataAt(1) + 512), Buffer.alloc(512, "a"));
});

test("a message that only some workers carry out ends the session, and the next one begins anew", async () => {
  await using server = await rig.serve();
  using frontEnd = await connect(server);
  await frontEnd.stopQueue(0);
  await assert.rejects(frontEnd.setInflight(), /hung up/);
  using next = await connect(server);
  for (const queue of [0, 1]) assert.deepEqual(await new GuestDriver(next, queue).flush(), good);
});

test("a front-end that hangs up is followed by the next when all workers are done with it", async () => {
  await using server = await rig.serve();
  const frontEnd = await connect(server);
  rig.shared.hold();
  frontEnd.memory.fill(9, dataAt(1), dataAt(1) + 512);
  void new GuestDriver(frontEnd, 1).write(0, dataAt(1), 512);
  while (rig.shared.asked[1] === 0) await new Promise(setImmediate);
  frontEnd[Symbol.dispose]();
  const next = connect(server);
  while (rig.events.length < 2) await new Promise(setImmediate);
  assert.deepEqual([rig.disk.metrics.connections, rig.disk.metrics.inFlight], [1, 1]);
  rig.shared.release();
  using second = await next;
  assert.equal((await new GuestDriver(second, 0).read(0, dataAt(0), 512)).status, 0);
  assert.deepEqual(second.memory.subarray(dataAt(0), dataAt(0) + 512), Buffer.alloc(512, 9));
});

test("a driver is told of a new size, and both rings reach the disk's new end", async () => {
  await using server = await rig.serve();
  using frontEnd = await connect(server);
  const drivers = frontEnd.queues.map((_, queue) => new GuestDriver(frontEnd, queue));
  rig.resize(mostBytes);
  while (frontEnd.configChanges === 0) await new Promise(setImmediate);
  assert.equal((await frontEnd.config()).readBigUInt64LE(0), BigInt(mostBytes / 512));
  for (const driver of drivers) assert.deepEqual(await driver.write(mostBytes - 512, dataAt(0), 512), good);
  assert.equal(frontEnd.offered & blkFeature.readOnly, 0n);
});

test("a disk that is closed gives back what is under way in all workers", async () => {
  const server = await rig.serve();
  using frontEnd = await connect(server);
  rig.shared.hold();
  const writes = frontEnd.queues.map((_, queue) =>
    new GuestDriver(frontEnd, queue).write(0, dataAt(queue), 512),
  );
  await begun(1);
  const closed = server.close();
  rig.shared.release();
  await closed;
  await frontEnd.gone.promise;
  assert.deepEqual(await Promise.all(writes), [good, good]);
});

test("threads that die with requests under way lose none of them: the next server's workers take them up", async () => {
  const dying = await Rig.start(new SharedDisk(rig.shared.memory, 0));
  const server = await dying.serve();
  const first = await connect(server);
  const drivers = first.queues.map((_, queue) => new GuestDriver(first, queue));
  for (const driver of drivers) await driver.flush();
  rig.shared.hold();
  const outcomes = drivers.flatMap((driver, queue) =>
    [3, 1, 2].map((place) => {
      first.memory.fill(10 * queue + place, dataAt(queue) + place * 4096, dataAt(queue) + place * 4096 + 512);
      return driver.write((queue * 16 + place) * 4096, dataAt(queue) + place * 4096, 512);
    }),
  );
  await begun(4);
  // A thread that koffi calls back while it is being ended aborts the process: their last kicks are heard before.
  for (let round = 0; round < 2; round++) {
    for (const index of [0, 1]) await first.check("setVringEnable", vringState({ index, num: 1 }));
  }
  await dying.end();
  await assert.rejects(server.close(), /a worker ended/);
  rig.shared.release();
  await using next = await rig.serve();
  first.disconnect();
  using second = await connect(next, { resume: first });
  const resumed = second.queues.map((_, queue) => new GuestDriver(second, queue));
  for (const [queue, driver] of resumed.entries()) driver.adopt(drivers[queue]!);
  assert.ok((await Promise.all(outcomes)).every(({ status }) => status === 0));
  for (const [queue, driver] of resumed.entries()) {
    assert.equal((await driver.read(queue * 65536, dataAt(queue), 65536)).status, 0);
    const found = [1, 2, 3].map((place) => second.memory[dataAt(queue) + place * 4096]);
    assert.deepEqual(
      found,
      [1, 2, 3].map((place) => 10 * queue + place),
    );
  }
});
