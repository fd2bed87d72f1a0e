import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { ByteBudget } from "../../src/server/byte-budget.ts";
import { ConnectionLimit, connectionsFor } from "../../src/server/limits.ts";
import { MemoryServer } from "../support/memory-server.ts";
import { NbdClient } from "../support/nbd-client.ts";

const MiB = 1 << 20;
const STATUS = 7;

function limits(bytes: number, connections = 100) {
  return { budget: new ByteBudget(bytes), connections: new ConnectionLimit(connections) };
}

test("answers about blocks count before they are there: a client that does not read them gets few at a time", async () => {
  const own = limits(512 * MiB);
  await using server = await MemoryServer.start({ size: 4096 * MiB }, { limits: own });
  for (let i = 0; i < 3; i++) server.device.snapshot(`snap${i}`);
  // Every second block, so that each answer is as long as answers get.
  for (let block = 0; block < 16384; block += 2) server.device.writeBlock(block);
  const client = await NbdClient.connect(server.socket);
  const snapshots = Array.from({ length: 3 }, (_, i) => `siphon:diff/snap${i}`);
  await client.go("pool/disk", { structured: true, contexts: ["base:allocation", ...snapshots] });
  client.socket.pause();
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 100; i++) client.send({ type: STATUS, length: 1024 * MiB });
  let most = 0;
  for (let look = 0; look < 40; look++) {
    most = Math.max(most, own.budget.used);
    await pause(10);
  }
  assert.ok(most < 64 * MiB, `${most} bytes counted`);
  const held = process.memoryUsage().arrayBuffers - before;
  assert.ok(held < 128 * MiB, `${held} bytes held`);
  client.socket.resume();
  for (let i = 0; i < 5; i++) assert.equal((await client.reply()).error, 0);
  client.socket.destroy();
});

test("clients share the budget: one that takes no answers leaves room for the others, and gives all back when it leaves", async () => {
  const own = limits(32 * MiB);
  await using server = await MemoryServer.start({ size: 64 * MiB }, { limits: own });
  const flooding = await NbdClient.connect(server.socket);
  await flooding.go("pool/disk");
  flooding.socket.pause();
  const other = await NbdClient.connect(server.socket);
  await other.go("pool/disk");
  for (let i = 0; i < 500; i++) flooding.send({ type: 0, length: MiB });
  for (let i = 0; i < 20; i++) {
    other.send({ type: 1, payload: Buffer.alloc(64 << 10, i) });
    assert.equal((await other.simpleReply()).error, 0);
  }
  assert.ok(own.budget.used < 16 * MiB, `${own.budget.used} bytes`);
  flooding.socket.destroy();
  while (own.budget.used > 0) await pause(5);
  other.send({ type: 0, length: 4096 });
  await other.simpleReply(4096);
});

test("where the budget is used up, a client waits for it, and goes on with it", async () => {
  const own = limits(MiB);
  await using server = await MemoryServer.start({ size: MiB }, { limits: own });
  const client = await NbdClient.connect(server.socket);
  await client.go("pool/disk");
  own.budget.take(2 * MiB);
  client.send({ type: 0, length: 4096 });
  const reply = client.simpleReply(4096);
  assert.equal(await Promise.race([reply, pause(50, "waits")]), "waits");
  own.budget.give(2 * MiB);
  assert.equal((await reply).error, 0);
});

test("clients that choose no export make room for those who come after them", async () => {
  await using server = await MemoryServer.start();
  const idle: NbdClient[] = [];
  for (let i = 0; i < 80; i++) idle.push(await NbdClient.connect(server.socket));
  const good = await NbdClient.connect(server.socket);
  await good.go("pool/disk");
  await idle[0]!.end();
  assert.ok(idle.filter(({ isEnded }) => isEnded).length >= 16);
  good.send({ type: 0, length: 512 });
  assert.equal((await good.simpleReply(512)).error, 0);
  for (const client of idle) client.socket.destroy();
});

test("more clients than the limit are turned away, with a line in the log, and those that are served go on", async () => {
  const own = limits(MiB, 2);
  await using server = await MemoryServer.start({ size: MiB }, { limits: own });
  const served = [await NbdClient.connect(server.socket), await NbdClient.connect(server.socket)];
  for (const client of served) await client.go("pool/disk");
  for (let i = 0; i < 20; i++) {
    const late = await NbdClient.connect(server.socket);
    await late.end();
  }
  assert.equal(server.log.length, 1);
  assert.match(server.log[0]!, /limit of 2 clients reached/);
  for (const client of served) {
    client.send({ type: 0, length: 512 });
    assert.equal((await client.simpleReply(512)).error, 0);
  }
  served[0]!.socket.destroy();
  for (;;) {
    const next = await NbdClient.connect(server.socket);
    const entered = await next.go("pool/disk").then(
      () => true,
      () => false,
    );
    next.socket.destroy();
    if (entered) break;
  }
  served[1]!.socket.destroy();
});

test("a client that asks for lists and does not read them is let go", async () => {
  await using server = await MemoryServer.start();
  for (let i = 0; i < 500; i++) server.device.snapshot(`${"x".repeat(200)}${i}`);
  const client = await NbdClient.connect(server.socket);
  await client.greet();
  client.socket.pause();
  const query = Buffer.concat([Buffer.from([0, 0, 0, 9]), Buffer.from("pool/disk"), Buffer.alloc(4)]);
  client.sendOption(8);
  for (let i = 0; i < 100; i++) client.sendOption(9, query);
  while (server.log.length === 0) await pause(5);
  assert.match(server.log[0]!, /does not read its answers/);
  client.socket.destroy();
});

test("descriptors for clients leave as many for the rest", () => {
  assert.deepEqual([16, 64, 1024, 1 << 20].map(connectionsFor), [1, 8, 488, 4096]);
});
