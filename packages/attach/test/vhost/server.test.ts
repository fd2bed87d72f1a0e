import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { VhostEvent } from "../../src/vhost/events.ts";
import { type VhostOptions, VhostServer } from "../../src/vhost/server.ts";
import { FrontEnd } from "../support/front-end.ts";
import { blkType, GuestDriver } from "../support/guest-driver.ts";
import { MemoryDevice } from "../support/memory-device.ts";

const directory = mkdtempSync(join(tmpdir(), "vhost-"));
after(() => rmSync(directory, { recursive: true, force: true }));
let sockets = 0;

const good = { status: 0, written: 1 };
const ioError = { status: 1, written: 1 };
const unsupported = { status: 2, written: 1 };

/** Where tests put data in the guest's memory: behind the headers of every queue. */
const dataAt = 4 << 20;

async function serve(options: Partial<VhostOptions> = {}) {
  const device = new MemoryDevice({ size: 64 << 20 });
  const events: VhostEvent[] = [];
  const server = await VhostServer.listen({
    device,
    socket: join(directory, `${sockets++}.sock`),
    serial: "libvirt-pool/vm1",
    report: (event) => events.push(event),
    ...options,
  });
  return { device, server, events };
}

describe("a guest's disk", () => {
  test("has the bytes that were written to it, however they are scattered", async () => {
    const { server } = await serve();
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket, { regions: 4, memoryBytes: 64 << 20 });
    const driver = new GuestDriver(frontEnd);
    const bytes = randomBytes(48 << 10);
    for (const indirect of [true, false]) {
      frontEnd.memory.set(bytes, dataAt);
      const pieces = [512, 20_000, 1, 8191];
      assert.deepEqual(await driver.write(1 << 20, dataAt, bytes.length, { indirect, pieces }), good);
      assert.deepEqual(
        await driver.read(1 << 20, dataAt + (1 << 20), bytes.length, { indirect, pieces: [30_000] }),
        {
          status: 0,
          written: bytes.length + 1,
        },
      );
      assert.ok(
        frontEnd.memory
          .subarray(dataAt + (1 << 20))
          .subarray(0, bytes.length)
          .equals(bytes),
      );
    }
  });

  test("is flushed, discarded and zeroed, in many ranges at once", async () => {
    const { server, device } = await serve();
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket);
    const driver = new GuestDriver(frontEnd);
    frontEnd.memory.fill(7, dataAt, dataAt + 65536);
    assert.deepEqual(await driver.write(0, dataAt, 65536), good);
    assert.deepEqual(await driver.flush(), good);
    assert.equal(device.flushes, 1);
    const ranges = [
      { offset: 4096, length: 4096, flags: 1 },
      { offset: 32768, length: 512 },
    ];
    assert.deepEqual(await driver.ranges(blkType.writeZeroes, ranges, dataAt + 65536), good);
    assert.deepEqual(
      await driver.ranges(blkType.discard, [{ offset: 0, length: 4096 }], dataAt + 65536),
      good,
    );
    assert.deepEqual(device.asked.slice(-3), ["writeZeroes", "writeZeroes", "discard"]);
    await driver.read(0, dataAt, 65536);
    const data = frontEnd.memory.subarray(dataAt, dataAt + 65536);
    assert.ok(data.subarray(4096, 8192).every((byte) => byte === 0));
    assert.ok(data.subarray(8192, 32768).every((byte) => byte === 7));
  });

  test("says who it is", async () => {
    const { server } = await serve();
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket);
    const driver = new GuestDriver(frontEnd);
    const answer = await driver.request(blkType.getId, 0, [{ at: dataAt, length: 20, write: true }]);
    assert.deepEqual(answer, { status: 0, written: 21 });
    assert.equal(frontEnd.memory.toString("latin1", dataAt, dataAt + 20), "libvirt-pool/vm1\0\0\0\0");
    const config = await frontEnd.config();
    assert.equal(config.readBigUInt64LE(0), BigInt((64 << 20) / 512));
    assert.deepEqual([config.readUInt32LE(20), config.readUInt32LE(28), config[32]], [512, 8192, 1]);
  });

  test("answers unsupported requests with an error, and goes on", async () => {
    const { server, events } = await serve();
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket);
    const driver = new GuestDriver(frontEnd);
    assert.deepEqual(await driver.read(64 << 20, dataAt, 512), ioError);
    assert.deepEqual(await driver.read((64 << 20) - 512, dataAt, 1024), ioError);
    assert.deepEqual(await driver.write(2 ** 62, dataAt, 512), ioError);
    assert.deepEqual(await driver.read(0, dataAt, 100), ioError);
    assert.deepEqual(await driver.request(99, 0, []), unsupported);
    assert.deepEqual(
      await driver.ranges(blkType.discard, [{ offset: 0, length: 512, flags: 1 }], dataAt),
      unsupported,
    );
    assert.deepEqual(
      await driver.ranges(blkType.writeZeroes, [{ offset: 64 << 20, length: 512 }], dataAt),
      ioError,
    );
    assert.deepEqual(await driver.write(0, dataAt, 512), good);
    assert.deepEqual(events, [{ type: "connected" }]);
  });

  test("fails requests that the cluster fails", async () => {
    const { server, device } = await serve();
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket);
    const driver = new GuestDriver(frontEnd);
    device.failure = -108;
    assert.deepEqual(await driver.write(0, dataAt, 512), ioError);
    assert.deepEqual(await driver.flush(), ioError);
    assert.equal(server.metrics.errors[1], 1);
  });

  test("is read only when it is", async () => {
    const device = new MemoryDevice({ size: 1 << 20, readOnly: true });
    const { server } = await serve({ device });
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket);
    assert.deepEqual([(frontEnd.offered >> 5n) & 1n, frontEnd.hasDiscard], [1n, false]);
    const driver = new GuestDriver(frontEnd);
    assert.deepEqual(await driver.write(0, dataAt, 512), ioError);
    assert.deepEqual(await driver.ranges(blkType.discard, [{ offset: 0, length: 512 }], dataAt), ioError);
    assert.deepEqual(await driver.read(0, dataAt, 512), { status: 0, written: 513 });
  });

  test("with a cache that writes back flushes every write for a guest that cannot, and lets none turn it off", async () => {
    const { server, device } = await serve();
    await using _ = server;
    {
      using frontEnd = await FrontEnd.connect(server.socket);
      assert.equal((await frontEnd.config())[32], 1);
      await new GuestDriver(frontEnd).write(0, dataAt, 512);
      assert.equal(await frontEnd.setConfig(32, Buffer.from([0])), false);
    }
    assert.equal(device.flushes, 0);
    using frontEnd = await FrontEnd.connect(server.socket, { features: ~(1n << 9n) });
    await new GuestDriver(frontEnd).write(0, dataAt, 512);
    assert.equal(device.flushes, 1);
  });

  test("without such a cache is one that writes through, whatever the guest wants", async () => {
    const device = new MemoryDevice({ size: 1 << 20, volatile: false });
    const { server } = await serve({ device });
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket, { features: ~(1n << 9n) });
    const driver = new GuestDriver(frontEnd);
    const seen = async (): Promise<number> => (await frontEnd.config())[32]!;
    assert.equal(await seen(), 0);
    assert.ok(await frontEnd.setConfig(32, Buffer.from([1])));
    assert.equal(await seen(), 1);
    assert.equal(await frontEnd.setConfig(0, Buffer.alloc(8)), false);
    assert.deepEqual(await driver.write(0, dataAt, 512), good);
    assert.equal(device.flushes, 0);
  });

  test("grows while it is in use, and the guest is told", async () => {
    const { server, device } = await serve();
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket);
    const driver = new GuestDriver(frontEnd);
    assert.deepEqual(await driver.read(64 << 20, dataAt, 512), ioError);
    device.resize(128 << 20);
    assert.equal((await frontEnd.config()).readBigUInt64LE(0), BigInt((128 << 20) / 512));
    assert.deepEqual(await driver.read(64 << 20, dataAt, 512), { status: 0, written: 513 });
    assert.equal(frontEnd.configChanges, 1);
  });

  test("serves several queues, with and without the ring features", async () => {
    for (const features of [-1n, ~(1n << 28n), ~(1n << 29n)]) {
      const { server } = await serve();
      await using _ = server;
      const without = features & ~(1n << 26n);
      using frontEnd = await FrontEnd.connect(server.socket, { queues: 4, features: without });
      const indirect = (features & (1n << 28n)) !== 0n;
      const drivers = frontEnd.queues.map((_, index) => new GuestDriver(frontEnd, index));
      const outcomes = await Promise.all(
        Array.from({ length: 128 }, (_, index) =>
          drivers[index % 4]!.read(index * 4096, dataAt + index * 4096, 4096, { indirect }),
        ),
      );
      assert.ok(outcomes.every(({ status, written }) => status === 0 && written === 4097));
    }
  });
});

describe("a front-end", () => {
  test("needs few kicks while much is under way", async () => {
    const { server } = await serve();
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket);
    const driver = new GuestDriver(frontEnd);
    const worker = async (slot: number): Promise<void> => {
      for (let round = 0; round < 50; round++) await driver.read(0, dataAt + slot * 4096, 4096);
    };
    await Promise.all(Array.from({ length: 32 }, (_, slot) => worker(slot)));
    const { kicks, calls } = driver.ring;
    assert.ok(kicks < 800 && calls < 800, `${kicks} kicks and ${calls} calls for 1,600 requests`);
  });

  test("has the disk for itself; the next one waits until it has left and all is done", async () => {
    const { server, device } = await serve();
    await using _ = server;
    const first = await FrontEnd.connect(server.socket);
    const hold = Promise.withResolvers<void>();
    device.held = hold.promise;
    void new GuestDriver(first).write(0, dataAt, 512);
    while (device.asked.length === 0) await new Promise(setImmediate);
    const second = FrontEnd.connect(server.socket);
    let served = false;
    void second.then(() => {
      served = true;
    });
    first[Symbol.dispose]();
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    assert.equal(served, false);
    assert.equal(server.metrics.inFlight, 1);
    device.held = undefined;
    hold.resolve();
    using frontEnd = await second;
    assert.deepEqual(await new GuestDriver(frontEnd).read(0, dataAt, 512), { status: 0, written: 513 });
  });

  test("stops a ring when the requests in flight have been returned", async () => {
    const { server, device } = await serve();
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket);
    const driver = new GuestDriver(frontEnd);
    const hold = Promise.withResolvers<void>();
    device.held = hold.promise;
    const writes = [driver.write(0, dataAt, 512), driver.write(512, dataAt, 512)];
    while (device.asked.length < 2) await new Promise(setImmediate);
    const stopped = frontEnd.stopQueue(0);
    setImmediate(() => hold.resolve());
    assert.equal(await stopped, 2);
    assert.equal(driver.ring.usedIdx, 2);
    assert.deepEqual(await Promise.all(writes), [good, good]);
  });

  test("does not wait forever for a lost cluster: requests in flight restart with their ring", async () => {
    const { server, device } = await serve({ patience: 1 });
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket);
    const driver = new GuestDriver(frontEnd);
    const hold = Promise.withResolvers<void>();
    device.held = hold.promise;
    const writes = [driver.write(0, dataAt, 512), driver.write(512, dataAt, 512)];
    while (device.asked.length < 2) await new Promise(setImmediate);
    await frontEnd.stopQueue(0);
    await frontEnd.setInflight();
    const { ring } = driver;
    await frontEnd.startQueue(0, ring.size, { earlier: ring });
    const again = new GuestDriver(frontEnd);
    again.adopt(driver);
    assert.equal(device.asked.length, 2, "nothing begins before what began earlier is done");
    hold.resolve();
    assert.deepEqual(await Promise.all(writes), [good, good]);
    assert.equal(device.asked.length, 4);
  });

  test("may reuse its memory after a stop: writes in flight have their data", async () => {
    const { server, device } = await serve({ patience: 1 });
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket);
    const hold = Promise.withResolvers<void>();
    device.held = hold.promise;
    frontEnd.memory.fill("a", dataAt, dataAt + 512);
    void new GuestDriver(frontEnd).write(0, dataAt, 512);
    while (device.asked.length < 1) await new Promise(setImmediate);
    await frontEnd.stopQueue(0);
    // As a guest that boots again.
    frontEnd.memory.fill(0);
    frontEnd.inflight = undefined;
    await frontEnd.setInflight();
    await frontEnd.startQueue(0, 128);
    const read = new GuestDriver(frontEnd).read(0, dataAt, 512);
    hold.resolve();
    await read;
    assert.deepEqual(frontEnd.memory.subarray(dataAt, dataAt + 512), Buffer.alloc(512, "a"));
  });

  test("loses no request when the server is killed: the next one takes them up in their order", async () => {
    const { server, device } = await serve();
    const first = await FrontEnd.connect(server.socket, { memoryBytes: 16 << 20 });
    const driver = new GuestDriver(first);
    await driver.write(0, dataAt, 512);
    // As good as killed: nothing of what is under way reaches the ring.
    device.held = new Promise(() => {});
    const outcomes = [3, 1, 2].map((place) => driver.write(place * 4096, dataAt, 512));
    while (device.asked.length < 4) await new Promise(setImmediate);
    const { server: next, device: nextDevice } = await serve();
    await using _ = next;
    first.disconnect();
    using second = await FrontEnd.connect(next.socket, { memoryBytes: 16 << 20, resume: first });
    const resumed = new GuestDriver(second);
    resumed.adopt(driver);
    assert.deepEqual(await Promise.all(outcomes), [good, good, good]);
    assert.deepEqual(nextDevice.asked, ["write", "write", "write"]);
    assert.deepEqual(await resumed.write(0, dataAt, 512), good);
    void server;
  });

  test("gets its requests back before the server closes, and the socket is gone", async () => {
    const { server, device } = await serve();
    using frontEnd = await FrontEnd.connect(server.socket);
    assert.equal(statSync(server.socket).mode & 0o777, 0o600);
    const driver = new GuestDriver(frontEnd);
    const hold = Promise.withResolvers<void>();
    device.held = hold.promise;
    const write = driver.write(0, dataAt, 512);
    while (device.asked.length === 0) await new Promise(setImmediate);
    const closed = server.close();
    hold.resolve();
    await closed;
    await frontEnd.gone.promise;
    assert.deepEqual(await write, good);
    assert.equal(existsSync(server.socket), false);
  });

  test("may take memory away and add some while it runs", async () => {
    const { server } = await serve();
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket, { regions: 4, memoryBytes: 16 << 20 });
    const driver = new GuestDriver(frontEnd);
    const [last] = frontEnd.regionPayloads().slice(-1);
    const inLast = frontEnd.memory.length - 4096;
    assert.deepEqual(await driver.read(0, inLast, 512), { status: 0, written: 513 });
    assert.ok(await frontEnd.accepted("remMemReg", last!));
    assert.equal(await frontEnd.accepted("remMemReg", last!), false);
    assert.deepEqual(await driver.read(0, dataAt, 512), { status: 0, written: 513 });
    assert.ok(await frontEnd.accepted("addMemReg", last!, [frontEnd.memoryFd]));
    assert.deepEqual(await driver.read(0, inLast, 512), { status: 0, written: 513 });
  });

  test("is refused features that are not offered", async () => {
    const { server, events } = await serve();
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket);
    const features = Buffer.alloc(8);
    features.writeBigUInt64LE(1n << 33n);
    assert.equal(await frontEnd.accepted("setFeatures", features), false);
    const refused = events.find(({ type }) => type === "refused");
    assert.match(String(refused?.type === "refused" && refused.error), /features that were not offered/);
    frontEnd.tell("setVringNum", Buffer.alloc(3));
    await frontEnd.gone.promise;
    using next = await FrontEnd.connect(server.socket);
    assert.deepEqual(await new GuestDriver(next).flush(), good);
  });

  test("waits while there are no descriptors for it, and the process says so; others are served on", async () => {
    const events: VhostEvent[] = [];
    const waiting = Promise.withResolvers<void>();
    const report = (event: VhostEvent) => {
      events.push(event);
      if (event.type === "waiting") waiting.resolve();
    };
    const { server } = await serve({ report });
    const { server: other } = await serve();
    await using _ = server;
    await using __ = other;
    using served = await FrontEnd.connect(other.socket);
    // Descriptors have numbers below the limit. Whoever raises it again has to be there before.
    const prlimit = (files: number) => `prlimit --pid ${process.pid} --nofile=${files}:`;
    const limiter = spawn("sh", ["-c", `read go && ${prlimit(3)} && echo && read go && ${prlimit(4096)}`]);
    const first = await FrontEnd.connect(server.socket);
    const next = FrontEnd.open(server.socket);
    limiter.stdin.write("\n");
    await once(limiter.stdout, "data");
    first[Symbol.dispose]();
    await waiting.promise;
    assert.deepEqual(await new GuestDriver(served).read(0, dataAt, 512), { status: 0, written: 513 });
    limiter.stdin.write("\n");
    await next.negotiate();
    next[Symbol.dispose]();
    const event = events.find(({ type }) => type === "waiting");
    assert.match(String(event?.type === "waiting" && event.error), /EMFILE/);
  });
});
