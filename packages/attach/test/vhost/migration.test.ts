import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import fc from "fast-check";
import type { VhostEvent } from "../../src/vhost/events.ts";
import { closeQuietly, createEvent, takeEvent } from "../../src/vhost/native/event.ts";
import { type VhostOptions, VhostServer } from "../../src/vhost/server.ts";
import { FrontEnd } from "../support/front-end.ts";
import { blkType, GuestDriver } from "../support/guest-driver.ts";
import { MemoryDevice } from "../support/memory-device.ts";
import type { MigrationLog } from "../support/migration-log.ts";

const directory = mkdtempSync(join(tmpdir(), "vhost-"));
after(() => rmSync(directory, { recursive: true, force: true }));
let sockets = 0;

const pageBytes = 4096;
const good = { status: 0, written: 1 };
/** Where tests put data in the guest's memory: behind the headers of every queue. */
const dataAt = 4 << 20;

async function serve(options: Partial<VhostOptions> = {}) {
  const device = new MemoryDevice({ size: 64 << 20 });
  const events: VhostEvent[] = [];
  const server = await VhostServer.listen({
    ...{ device, socket: join(directory, `${sockets++}.sock`) },
    report: (event) => events.push(event),
    ...options,
  });
  return { device, server, events };
}

/** The number of the page that a byte of the guest's memory is in, as the log has it. */
const pageOf = (frontEnd: FrontEnd, at: number) => Math.floor(frontEnd.guestAddress(at) / pageBytes);

/** Mappings of logs in this process: those of front-ends, which are here as well, and of back-ends. */
const mappedLogs = () =>
  readFileSync("/proc/self/maps", "utf8")
    .split("\n")
    .filter((line) => line.includes("memfd:log")).length;

/** Pages of the guest's memory that are not as they were. */
function changedPages(frontEnd: FrontEnd, before: Buffer): number[] {
  const pages: number[] = [];
  for (let at = 0; at < before.length; at += pageBytes) {
    if (before.compare(frontEnd.memory, at, at + pageBytes, at, at + pageBytes) !== 0)
      pages.push(pageOf(frontEnd, at));
  }
  return pages;
}

describe("a guest that migrates", () => {
  test("has the pages marked that its requests change, and those of its used ring", async () => {
    const { server } = await serve();
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket, { regions: 2 });
    using log = frontEnd.createLog();
    const driver = new GuestDriver(frontEnd);
    await frontEnd.startLog(log);
    log.take();
    const used = pageOf(frontEnd, frontEnd.usedAt(0, driver.ring.size));
    const status = pageOf(frontEnd, frontEnd.dataAt);
    assert.deepEqual(await driver.write(0, dataAt, 16384), good);
    assert.deepEqual(log.take(), new Set([used, status]));
    await driver.read(0, dataAt + 512, 8192);
    const data = [0, 1, 2].map((page) => pageOf(frontEnd, dataAt) + page);
    assert.deepEqual(log.take(), new Set([used, status, ...data]));
    await driver.request(blkType.getId, 0, [{ at: dataAt, length: 20, write: true }]);
    assert.ok(log.take().has(data[0]!));
  });

  test("has every page marked that changed, whatever is asked for, and whenever the log begins", async () => {
    const { server } = await serve();
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket, { regions: 2, queues: 2 });
    // A buffer lies within a region: all of them are in the second one.
    const dataAt = frontEnd.memory.length / 2;
    const drivers = [new GuestDriver(frontEnd, 0), new GuestDriver(frontEnd, 1)] as const;
    frontEnd.memory.set(randomBytes(1 << 20), dataAt);
    await drivers[0].write(0, dataAt, 1 << 20);
    const request = fc.record({
      queue: fc.constantFrom(0, 1),
      type: fc.constantFrom("read", "write", "flush", "beyond the end"),
      at: fc.nat(7 << 20),
      sectors: fc.integer({ min: 1, max: 200 }),
      piece: fc.constantFrom(512, 5000, 70_000),
      indirect: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { minLength: 1, maxLength: 12 }),
        fc.nat(12),
        async (requests, logAfter) => {
          using log = frontEnd.createLog();
          const before = Buffer.alloc(frontEnd.memory.length);
          const under: Promise<unknown>[] = [];
          const begin = async () => {
            await frontEnd.startLog(log);
            // As QEMU does: what was changed before is in the copy.
            frontEnd.memory.copy(before);
          };
          for (const [index, { queue, type, at, sectors, piece, indirect }] of requests.entries()) {
            if (index === logAfter) await begin();
            const driver = drivers[queue as 0 | 1];
            const length = 512 * sectors;
            const layout = { indirect, pieces: [Math.max(piece, Math.ceil(length / 5))] };
            if (type === "flush") under.push(driver.flush());
            else if (type === "write") under.push(driver.write(0, dataAt + at, length, layout));
            else under.push(driver.read(type === "read" ? 0 : 1 << 40, dataAt + at, length, layout));
          }
          if (requests.length <= logAfter) await begin();
          // The back-end need not mark what the driver itself writes.
          const own = new Set<number>();
          for (let at = 0; at < frontEnd.dataAt + (1 << 20); at += pageBytes) own.add(pageOf(frontEnd, at));
          await Promise.all(under);
          const marked = log.take();
          for (const page of changedPages(frontEnd, before))
            assert.ok(marked.has(page) || own.has(page), `${page}`);
          for (const [index, { ring }] of drivers.entries()) {
            assert.ok(marked.has(pageOf(frontEnd, frontEnd.usedAt(index, ring.size))));
          }
          await frontEnd.stopLog();
        },
      ),
      { numRuns: 40 },
    );
  });

  test("has nothing marked once the log was ended, and all in the next one", async () => {
    const { server } = await serve();
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket);
    using log = frontEnd.createLog();
    using next = frontEnd.createLog();
    const driver = new GuestDriver(frontEnd);
    await frontEnd.startLog(log);
    await frontEnd.stopLog();
    log.take();
    await driver.read(0, dataAt, 4096);
    assert.equal(log.take().size, 0);
    await frontEnd.startLog(log);
    log.take();
    await frontEnd.ask("setLogBase", next.description(), [next.fd]);
    await driver.read(0, dataAt, 4096);
    assert.equal(log.take().size, 0);
    assert.ok(next.take().has(pageOf(frontEnd, dataAt)));
    assert.equal(mappedLogs(), 3);
    frontEnd.disconnect();
    await server.close();
    assert.equal(mappedLogs(), 2);
  });

  test("is told by an event that there are marks", async () => {
    const { server } = await serve();
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket);
    using log = frontEnd.createLog();
    const event = createEvent();
    await frontEnd.check("setLogFd", Buffer.alloc(8), [event]);
    await frontEnd.startLog(log);
    takeEvent(event);
    await new GuestDriver(frontEnd).flush();
    assert.ok(takeEvent(event));
    closeQuietly(event);
  });

  test("is waited for: what is under way when it stops is done, however long that takes", async () => {
    const { server, device } = await serve({ patience: 20 });
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket);
    using log = frontEnd.createLog();
    const driver = new GuestDriver(frontEnd);
    await frontEnd.startLog(log);
    const hold = Promise.withResolvers<void>();
    device.held = hold.promise;
    const read = driver.read(0, dataAt, 512);
    while (device.asked.length === 0) await new Promise(setImmediate);
    log.take();
    let isStopped = false;
    const stopped = frontEnd.stopQueue(0).finally(() => {
      isStopped = true;
    });
    await pause(100);
    assert.equal(isStopped, false);
    hold.resolve();
    assert.equal(await stopped, driver.ring.usedIdx);
    assert.deepEqual(await read, { status: 0, written: 513 });
    assert.ok(log.take().has(pageOf(frontEnd, dataAt)));
  });

  test("whose server was killed has marked what the next one does again", async () => {
    const left = Promise.withResolvers<void>();
    const { server, device } = await serve({
      report: ({ type }) => type === "disconnected" && left.resolve(),
    });
    using frontEnd = await FrontEnd.connect(server.socket);
    const driver = new GuestDriver(frontEnd);
    const hold = Promise.withResolvers<void>();
    device.held = hold.promise;
    void driver.read(0, dataAt, 512);
    while (device.asked.length === 0) await new Promise(setImmediate);
    frontEnd.disconnect();
    await left.promise;
    hold.resolve();
    await server.close();
    const { server: second, device: anew } = await serve();
    await using _ = second;
    using next = FrontEnd.open(second.socket, { resume: frontEnd });
    using log = next.createLog();
    await next.negotiate();
    const features = Buffer.alloc(8);
    features.writeBigUInt64LE(next.features | (1n << 26n));
    await next.check("setFeatures", features);
    await next.setMemory();
    await next.setInflight();
    await next.startQueue(0, driver.ring.size, { earlier: driver.ring, log });
    const continued = new GuestDriver(next);
    continued.adopt(driver);
    await continued.flush();
    assert.deepEqual(anew.asked, ["read", "flush"]);
    const marked = log.take();
    assert.ok(marked.has(pageOf(next, dataAt)) && marked.has(pageOf(next, next.usedAt(0, driver.ring.size))));
  });
});

describe("a log that makes no sense", () => {
  async function refused(what: (frontEnd: FrontEnd, log: MigrationLog) => Promise<void>): Promise<string> {
    const { server, events } = await serve();
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket);
    using log = frontEnd.createLog();
    await what(frontEnd, log);
    const event = events.find((each) => each.type === "refused");
    // It was refused and nothing else: the ring goes on.
    assert.deepEqual(await new GuestDriver(frontEnd).flush(), good);
    return event?.type === "refused" ? event.error.message : "nothing was refused";
  }

  test("is refused, and its memory is not kept", async () => {
    const base = (description: (log: MigrationLog) => Buffer, fds?: number[]) =>
      refused(async (frontEnd, log) => {
        assert.equal(await frontEnd.accepted("setLogBase", description(log), fds ?? [log.fd]), false);
        assert.equal(mappedLogs(), 1);
      });
    assert.match(await base((log) => log.description(0)), /a log of 0 bytes/);
    assert.match(await base((log) => log.description(2 ** 40)), /a log of/);
    assert.match(await base((log) => log.description(2 ** 52, 2 ** 52)), /a log of/);
    assert.match(await base((log) => log.description(log.bytes, 4096)), /cannot hold/);
    assert.match(await base((log) => log.description(log.bytes, 2 ** 53 - 8192)), /cannot hold/);
    assert.match(await base((log) => log.description(log.bytes / 2)), /too short/);
    assert.match(await base(() => Buffer.alloc(8)), /a payload of 8 bytes instead of 16/);
    assert.match(await base((log) => log.description(), []), /without a descriptor/);
  });

  test("is refused for used entries and for memory that it has no room for", async () => {
    const used = await refused(async (frontEnd, log) => {
      await frontEnd.startLog(log);
      const addresses = frontEnd.ringAddresses(0, frontEnd.queues[0]!.size, true);
      addresses.writeBigUInt64LE(2n ** 40n, 32);
      assert.equal(await frontEnd.accepted("setVringAddr", addresses), false);
    });
    assert.match(used, /used entries beyond the end/);
    const memory = await refused(async (frontEnd, log) => {
      await frontEnd.startLog(log);
      const region = frontEnd.regionPayloads()[0]!;
      region.writeBigUInt64LE(2n ** 40n, 8);
      region.writeBigUInt64LE(2n ** 46n, 24);
      assert.equal(await frontEnd.accepted("addMemReg", region, [frontEnd.memoryFd]), false);
    });
    assert.match(memory, /memory beyond the end of the log/);
  });
});

describe("the use of a disk that may migrate", () => {
  test("lasts from the first ring that runs until all have been stopped, also over a front-end that hangs up", async () => {
    const said: string[] = [];
    const use = { begin: () => said.push("begin"), end: () => said.push("end") };
    const { server } = await serve({ use: use as never });
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket, { queues: 2 });
    assert.deepEqual(said, ["begin", "begin"]);
    await frontEnd.stopQueue(0);
    assert.equal(said.includes("end"), false);
    await frontEnd.stopQueue(1);
    assert.equal(said.at(-1), "end");
    await frontEnd.startQueue(0, 128, { earlier: frontEnd.queues[0]! });
    frontEnd.disconnect();
    using next = FrontEnd.open(server.socket);
    await next.negotiate();
    assert.equal(said.at(-1), "begin");
  });
});
