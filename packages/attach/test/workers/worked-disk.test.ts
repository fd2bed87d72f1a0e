import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Image, RbdError } from "@siphon/rbd";
import type { ImageIo } from "@siphon/rbd/engine";
import { NbdServer } from "../../src/nbd/server.ts";
import { IoMetrics, ioKind } from "../../src/server/io-metrics.ts";
import { inWorker } from "../../src/workers/disk-part.ts";
import type { PartStart } from "../../src/workers/messages.ts";
import { WorkedDisk } from "../../src/workers/worked-disk.ts";
import { MemoryDevice } from "../support/memory-device.ts";
import { NbdClient } from "../support/nbd-client.ts";

const [READ, WRITE, FLUSH, STATUS] = [0, 1, 3, 7];
const ESHUTDOWN = 108;
const count = 2;

/** A disk in memory, whose parts are in this thread: descriptors and messages go between them as between threads. */
class Rig implements AsyncDisposable {
  readonly device = new MemoryDevice({ size: 1 << 20 });
  /** Requests that each part's image was given. */
  readonly asked = [0, 0];
  readonly log: string[] = [];
  readonly pauses: string[] = [];
  readonly metrics = new IoMetrics();
  disk!: WorkedDisk;
  server!: NbdServer;
  #directory!: string;

  static async start(onError: "report" | "pause" = "report"): Promise<Rig> {
    const rig = new Rig();
    const log = (line: string) => void rig.log.push(line);
    rig.disk = await WorkedDisk.start(rig.#image(), {
      ...{ name: "pool/disk", onError, maxInFlight: undefined, metrics: rig.metrics, log },
      pauses: {
        paused: (why) => rig.pauses.push(`paused by ${why}`),
        resumed: () => rig.pauses.push("resumed"),
      },
    });
    rig.#directory = await mkdtemp(join(tmpdir(), "siphon-worked-disk-"));
    const served = {
      name: "pool/disk",
      description: "a disk",
      device: rig.disk.device,
      extents: rig.disk.extents,
      metrics: rig.metrics,
    };
    const address = { path: join(rig.#directory, "socket") };
    rig.server = await NbdServer.listen({ address, exports: [served], elsewhere: rig.disk, log });
    return rig;
  }

  async client(options: Parameters<NbdClient["go"]>[1] = {}): Promise<NbdClient> {
    const client = await NbdClient.connect(join(this.#directory, "socket"));
    await client.go("pool/disk", options);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.drain();
    await rm(this.#directory, { recursive: true });
  }

  #image(): Image {
    const start = (
      _: URL,
      data: PartStart,
      { onMessage }: { onMessage(message: unknown, index: number): void },
    ) => {
      const listeners: ((message: unknown) => void)[] = [];
      const ended = Array.from({ length: count }, (_, index) =>
        inWorker(this.#io(index), {
          ...{ index, count, data, signal: undefined },
          tell: (message) => queueMicrotask(() => onMessage(message, index)),
          listen: (listener) => void listeners.push(listener),
        }),
      );
      const tell = (index: number, message: unknown) =>
        queueMicrotask(() => listeners[index]!(structuredClone(message)));
      return { ended: Promise.all(ended), tell };
    };
    return Object.assign(this.#io(0), {
      workers: { count, start },
      header: { snapshots: new Map() },
    }) as never;
  }

  /** The disk, as far as a part asks for more than a device has. */
  #io(index: number): ImageIo {
    const { device, asked } = this;
    return new Proxy(device, {
      get(_, name) {
        if (name === "state") return { objectSize: 4 << 20, snapshots: new Map() };
        if (name === "snapId") return -2;
        if (name === "write" || name === "read") asked[index]!++;
        const value = Reflect.get(device, name) as unknown;
        return typeof value === "function" ? value.bind(device) : value;
      },
    }) as unknown as ImageIo;
  }
}

test("each client is served by the worker that has the fewest, and all of them are counted together", async () => {
  await using rig = await Rig.start();
  const clients = [await rig.client(), await rig.client(), await rig.client()];
  assert.equal(rig.disk.metrics.connections, 3);
  for (const [index, client] of clients.entries()) {
    const payload = Buffer.alloc(4096, index + 1);
    assert.equal((await client.request({ type: WRITE, offset: index * 4096, payload })).error, 0);
  }
  assert.deepEqual(rig.asked, [2, 1]);
  clients[0]!.send({ type: READ, offset: 4096, length: 4096 });
  assert.deepEqual((await clients[0]!.simpleReply(4096)).data, Buffer.alloc(4096, 2));
  const { metrics } = rig.disk;
  assert.deepEqual([metrics.operations[ioKind.write], metrics.bytes[ioKind.read]], [3, 4096]);
  assert.equal(metrics.latencies[ioKind.write]!.count, 3);
  clients[1]!.socket.destroy();
  while (rig.disk.metrics.connections > 2) await new Promise((resolve) => setImmediate(resolve));
  // Its worker has none now.
  await (await rig.client()).request({ type: WRITE, offset: 0, payload: Buffer.alloc(512) });
  assert.equal(rig.asked[1], 2);
});

test("the server's log reports protocol violations, and requests in flight are answered at the end", async () => {
  const rig = await Rig.start();
  const bad = await rig.client();
  bad.socket.write(Buffer.alloc(28, 0xff));
  await bad.end();
  assert.match(rig.log.join(), /NBD client 1: connection ended: a request starts with/);
  const client = await rig.client();
  let release = () => {};
  rig.device.held = new Promise((resolve) => {
    release = resolve;
  });
  client.send({ type: WRITE, offset: 0, payload: Buffer.alloc(4096, 9) });
  while (rig.disk.metrics.inFlight === 0) await new Promise((resolve) => setImmediate(resolve));
  const drained = rig[Symbol.asyncDispose]();
  release();
  assert.equal((await client.simpleReply()).error, 0);
  await client.end();
  await drained;
});

test("a question about extents that the disk's owner cannot answer comes back with the owner's errno", async () => {
  await using rig = await Rig.start();
  const failure = new RbdError("SIPHON_RBD_FENCED", "on the blocklist");
  rig.disk.extents.allocation = () => Promise.reject(failure);
  const client = await rig.client({ structured: true, contexts: ["base:allocation"] });
  assert.equal((await client.request({ type: STATUS, length: 4096 })).error, ESHUTDOWN);
});

test("limits are for all workers together", async () => {
  await using rig = await Rig.start();
  const clients = [await rig.client(), await rig.client()];
  rig.disk.limit({ iops: { rate: 10, burst: 0, burstSeconds: 1 } });
  // Those of a client arrive together, however slow the machine is: more than pass in a tenth of a second.
  for (const client of clients) {
    for (let i = 0; i < 3; i++) client.send({ type: WRITE, payload: Buffer.alloc(512) });
  }
  for (const client of clients) {
    for (let i = 0; i < 3; i++) assert.equal((await client.simpleReply()).error, 0);
  }
  assert.ok(rig.disk.metrics.throttled > 0);
  rig.disk.limit({});
  assert.equal((await clients[0]!.request({ type: FLUSH })).error, 0);
});

test("a disk is paused with the first of its workers, and goes on with the last", async () => {
  await using rig = await Rig.start("pause");
  const clients = [await rig.client(), await rig.client()];
  rig.device.failure = -28;
  for (const client of clients) client.send({ type: WRITE, offset: 0, payload: Buffer.alloc(512) });
  while (rig.asked[0]! + rig.asked[1]! < 2) await new Promise((resolve) => setImmediate(resolve));
  while (rig.pauses.length === 0) await new Promise((resolve) => setImmediate(resolve));
  rig.device.failure = 0;
  for (const client of clients) assert.equal((await client.simpleReply()).error, 0);
  while (rig.pauses.length < 2) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(rig.pauses, ["paused by ENOSPC", "resumed"]);
});
