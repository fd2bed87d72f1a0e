import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { ByteBudget } from "../../src/server/byte-budget.ts";
import type { VhostEvent } from "../../src/vhost/events.ts";
import { VhostServer } from "../../src/vhost/server.ts";
import { FrontEnd } from "../support/front-end.ts";
import { GuestDriver } from "../support/guest-driver.ts";
import { MemoryDevice } from "../support/memory-device.ts";

const directory = mkdtempSync(join(tmpdir(), "vhost-budget-"));
after(() => rmSync(directory, { recursive: true, force: true }));
let sockets = 0;

const MiB = 1 << 20;
const dataAt = 4 * MiB;
const pieces = [16 * MiB];

async function serve(budget = new ByteBudget()) {
  const device = new MemoryDevice({ size: 512 * MiB });
  const socket = join(directory, `${sockets++}.sock`);
  const left = Promise.withResolvers<void>();
  const report = ({ type }: VhostEvent) => type === "disconnected" && left.resolve();
  const server = await VhostServer.listen({ device, socket, budget, report });
  return { device, server, budget, left };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
}

describe("a guest that has all rings full of the largest requests", () => {
  test("has few of them under way, whatever it asks for", async () => {
    const { device, server, budget } = await serve();
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket, { queues: 4, memoryBytes: 80 * MiB });
    const hold = Promise.withResolvers<void>();
    device.held = hold.promise;
    const drivers = frontEnd.queues.map((_, index) => new GuestDriver(frontEnd, index));
    const all = drivers.flatMap((driver) =>
      Array.from({ length: 32 }, () => driver.write(0, dataAt, 64 * MiB, { pieces })),
    );
    await turns(20);
    assert.ok(device.asked.length >= 16 && device.asked.length < 20, `${device.asked.length} requests`);
    assert.ok(budget.used < 80 * MiB, `${budget.used} bytes`);
    device.held = undefined;
    hold.resolve();
    // Nobody waits for the data: only that all of them are carried out.
    device.write = (request) => setImmediate(() => request.completed());
    assert.ok((await Promise.all(all)).every(({ status }) => status === 0));
    assert.equal(budget.used, 0);
  });

  test("and powers off leaves little behind, and the process goes on at once", async () => {
    const { device, server, budget, left } = await serve();
    await using _ = server;
    const frontEnd = await FrontEnd.connect(server.socket, { memoryBytes: 80 * MiB });
    const hold = Promise.withResolvers<void>();
    device.held = hold.promise;
    const driver = new GuestDriver(frontEnd);
    for (let request = 0; request < 120; request++) {
      void driver.write(0, dataAt, 64 * MiB, { pieces });
    }
    await turns(20);
    const before = process.memoryUsage().arrayBuffers;
    const blocked = performance.eventLoopUtilization();
    frontEnd[Symbol.dispose]();
    await left.promise;
    const kept = process.memoryUsage().arrayBuffers - before;
    assert.ok(kept < 80 * MiB, `${kept} bytes are kept`);
    assert.ok(performance.eventLoopUtilization(blocked).active < 2000, "the event loop was occupied");
    const asked = device.asked.length;
    hold.resolve();
    device.held = undefined;
    using next = await FrontEnd.connect(server.socket);
    assert.equal((await new GuestDriver(next).read(0, dataAt, 512)).status, 0);
    assert.equal(device.asked.length, asked + 1, "nothing of what had not begun is done any more");
    assert.equal(budget.used, 0);
  });

  test("does not keep a ring of its own waiting for another", async () => {
    const { device, server } = await serve();
    await using _ = server;
    device.write = (request) => setTimeout(() => request.completed(), 1);
    using frontEnd = await FrontEnd.connect(server.socket, { queues: 4, memoryBytes: 80 * MiB });
    const [first, ...others] = frontEnd.queues.map((_, index) => new GuestDriver(frontEnd, index));
    let flooding = true;
    const flood = async () => {
      while (flooding) await first!.write(0, dataAt, 64 * MiB, { pieces });
    };
    const floods = Array.from({ length: 40 }, flood);
    await turns(20);
    for (const driver of others) {
      for (let i = 0; i < 5; i++) assert.equal((await driver.read(0, 72 * MiB, 4096)).status, 0);
    }
    flooding = false;
    await Promise.all(floods);
  });
});

describe("guests that share a process", () => {
  test("share its budget: one that floods leaves room for the others", async () => {
    const budget = new ByteBudget(32 * MiB);
    const flooded = await serve(budget);
    const calm = await serve(budget);
    await using _ = flooded.server;
    await using __ = calm.server;
    const frontEnd = await FrontEnd.connect(flooded.server.socket, { memoryBytes: 80 * MiB });
    using other = await FrontEnd.connect(calm.server.socket);
    const hold = Promise.withResolvers<void>();
    flooded.device.held = hold.promise;
    const driver = new GuestDriver(frontEnd);
    for (let request = 0; request < 100; request++) void driver.write(0, dataAt, 64 * MiB, { pieces });
    await turns(20);
    assert.ok(budget.used < 16 * MiB, `${budget.used} bytes`);
    assert.equal((await new GuestDriver(other).write(0, dataAt, 65536)).status, 0);
    frontEnd[Symbol.dispose]();
    hold.resolve();
  });

  test("go on where there is nothing left as soon as something is", async () => {
    const budget = new ByteBudget(MiB);
    const { server } = await serve(budget);
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket);
    const driver = new GuestDriver(frontEnd);
    budget.take(2 * MiB);
    let done = false;
    const read = driver.read(0, dataAt, 4096).then(() => {
      done = true;
    });
    await turns(20);
    assert.equal(done, false);
    budget.give(2 * MiB);
    await read;
  });
});

test("a long transfer, which is carried out in steps, has all of its bytes in their places", async () => {
  const { device, server } = await serve();
  await using _ = server;
  using frontEnd = await FrontEnd.connect(server.socket, { memoryBytes: 64 * MiB });
  const driver = new GuestDriver(frontEnd);
  const bytes = randomBytes(13 * MiB + 512);
  frontEnd.memory.set(bytes, dataAt);
  const layout = { pieces: [5 * MiB + 3, 777, 4 * MiB] };
  const offset = 3 * MiB + 1024;
  assert.equal((await driver.write(offset, dataAt, bytes.length, layout)).status, 0);
  assert.equal(device.asked.length, 5);
  frontEnd.memory.fill(0, dataAt, dataAt + bytes.length);
  const { status, written } = await driver.read(offset, dataAt, bytes.length, { pieces: [2 * MiB + 1] });
  assert.deepEqual([status, written], [0, bytes.length + 1]);
  assert.ok(frontEnd.memory.subarray(dataAt, dataAt + bytes.length).equals(bytes));
});
