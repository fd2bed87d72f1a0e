import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { RbdError } from "@siphon/rbd";
import { MemoryServer } from "../support/memory-server.ts";
import { NbdClient } from "../support/nbd-client.ts";

const [READ, WRITE, DISC, FLUSH, TRIM, CACHE, ZEROES, STATUS] = [0, 1, 2, 3, 4, 5, 6, 7];
const [FUA, NO_HOLE, DF, REQ_ONE, FAST_ZERO, PAYLOAD_LEN] = [1, 2, 4, 8, 16, 32];
const [EPERM, EIO, EINVAL, ENOSPC, ENOTSUP, ESHUTDOWN] = [1, 5, 22, 28, 95, 108];
const MiB = 1 << 20;

type Mode = "simple" | "structured" | "extended";

async function transmitting(server: MemoryServer, mode: Mode, contexts: string[] = []): Promise<NbdClient> {
  const client = await NbdClient.connect(server.socket);
  const structured = mode === "structured";
  await client.go("pool/disk", { structured, extended: mode === "extended", contexts });
  return client;
}

/** The result of a read, put together from its chunks. */
async function read(
  client: NbdClient,
  mode: Mode,
  offset: number,
  length: number,
  flags = 0,
): Promise<Buffer> {
  client.send({ type: READ, offset, length, flags });
  if (mode === "simple") return (await client.simpleReply(length)).data;
  const { error, chunks } = await client.reply();
  assert.equal(error, 0);
  const data = Buffer.alloc(length, 0xee);
  for (const { type, payload } of chunks) {
    const at = Number(payload.readBigUInt64BE(0)) - offset;
    if (type === 1) payload.copy(data, at, 8);
    else data.fill(0, at, at + payload.readUInt32BE(8));
  }
  return data;
}

for (const mode of ["simple", "structured", "extended"] as const) {
  describe(`${mode} replies`, () => {
    const write = mode === "extended" ? { type: WRITE, flags: PAYLOAD_LEN } : { type: WRITE };

    test("written data is read back, at any offset and of any length", async () => {
      await using server = await MemoryServer.start();
      const client = await transmitting(server, mode);
      const model = Buffer.alloc(4 * MiB);
      for (const [offset, length] of [
        [1, 1],
        [65_535, 2],
        [100_000, 1_500_000],
        [0, 4096],
        [3 * MiB + 7, 600_001],
      ] as const) {
        const payload = randomBytes(length);
        payload.copy(model, offset);
        assert.equal((await client.request({ ...write, offset, payload })).error, 0);
      }
      for (const [offset, length] of [
        [0, 4 * MiB],
        [65_530, 70_000],
        [2 * MiB, 1],
      ] as const) {
        assert.ok((await read(client, mode, offset, length)).equals(model.subarray(offset, offset + length)));
      }
      client.socket.destroy();
    });

    test("requests are answered as they are done, each under its own cookie", async () => {
      await using server = await MemoryServer.start();
      const client = await transmitting(server, mode);
      const payloads = Array.from({ length: 64 }, (_, i) => Buffer.alloc(16_384, i + 1));
      for (const [i, payload] of payloads.entries()) client.send({ ...write, offset: i * 16_384, payload });
      for (let i = 0; i < 64; i++) assert.equal((await client.reply()).error, 0);
      for (const [i, payload] of payloads.entries()) {
        assert.ok((await read(client, mode, i * 16_384, 16_384)).equals(payload));
      }
      client.socket.destroy();
    });

    test("errors of the device and refusals come back as errors, and the connection goes on", async () => {
      await using server = await MemoryServer.start({ size: MiB });
      const client = await transmitting(server, mode);
      const payload = Buffer.alloc(4096);
      assert.equal((await client.request({ ...write, offset: MiB - 1, payload })).error, ENOSPC);
      assert.equal((await client.request({ type: READ, offset: MiB, length: 1 })).error, EINVAL);
      assert.equal((await client.request({ type: READ, flags: NO_HOLE, length: 1 })).error, EINVAL);
      assert.equal((await client.request({ type: 77 })).error, EINVAL);
      server.device.failure = -110;
      assert.equal((await client.request({ type: READ, length: 1 })).error, EIO);
      assert.equal((await client.request({ type: FLUSH })).error, EIO);
      server.device.failure = 0;
      assert.equal((await client.request({ type: FLUSH })).error, 0);
      assert.equal(server.metrics.inFlight, 0);
      client.socket.destroy();
    });
  });
}

test("zeros are told, not sent, unless the client wants the data in one piece", async () => {
  await using server = await MemoryServer.start();
  const client = await transmitting(server, "structured");
  await client.request({ type: WRITE, offset: 2 * MiB, payload: Buffer.alloc(65_536, 7) });
  const hole = await client.request({ type: READ, offset: 0, length: MiB });
  assert.deepEqual(
    hole.chunks.map(({ type, payload }) => [type, payload.readUInt32BE(8)]),
    [[2, MiB]],
  );
  const mixed = await client.request({ type: READ, offset: MiB, length: 3 * MiB });
  assert.deepEqual(
    mixed.chunks.map(({ type }) => type),
    [2, 1, 2],
  );
  const whole = await client.request({ type: READ, flags: DF, offset: MiB, length: 3 * MiB });
  assert.deepEqual(
    whole.chunks.map(({ type, payload }) => [type, payload.length]),
    [[1, 8 + 3 * MiB]],
  );
  const expected = await read(client, "structured", MiB, 3 * MiB);
  assert.ok(whole.chunks[0]!.payload.subarray(8).equals(expected));
  client.socket.destroy();
});

test("a write with FUA needs no flush if writes are durable", async () => {
  await using server = await MemoryServer.start({ size: MiB, volatile: false });
  const client = await transmitting(server, "simple");
  const { error } = await client.request({ type: WRITE, flags: FUA, payload: Buffer.alloc(512) });
  assert.deepEqual([error, server.device.asked], [0, ["write"]]);
  client.socket.destroy();
});

test("a write with FUA is answered after a flush", async () => {
  await using server = await MemoryServer.start();
  const client = await transmitting(server, "simple");
  const payload = Buffer.alloc(512);
  await client.request({ type: WRITE, payload });
  assert.equal(server.device.flushes, 0);
  for (const request of [
    { type: WRITE, payload },
    { type: TRIM, length: 512 },
    { type: ZEROES, length: 512 },
  ]) {
    await client.request({ ...request, flags: FUA });
  }
  assert.deepEqual(server.device.asked.slice(1), [
    "write",
    "flush",
    "discard",
    "flush",
    "writeZeroes",
    "flush",
  ]);
  await client.request({ type: READ, flags: FUA, length: 0 });
  assert.equal(server.device.flushes, 3);
  client.socket.destroy();
});

test("zeroes make holes only where the client allows it, and are fast only then", async () => {
  await using server = await MemoryServer.start();
  const client = await transmitting(server, "structured", ["base:allocation"]);
  await client.request({ type: WRITE, payload: Buffer.alloc(131_072, 1) });
  assert.equal(
    (await client.request({ type: ZEROES, flags: NO_HOLE | FAST_ZERO, length: 65_536 })).error,
    ENOTSUP,
  );
  assert.equal((await client.request({ type: ZEROES, flags: NO_HOLE, length: 65_536 })).error, 0);
  assert.equal(
    (await client.request({ type: ZEROES, flags: FAST_ZERO, offset: 65_536, length: 65_536 })).error,
    0,
  );
  const { chunks } = await client.request({ type: STATUS, length: 131_072 });
  const words = Array.from({ length: 5 }, (_, i) => chunks[0]!.payload.readUInt32BE(4 * i));
  assert.deepEqual(words, [1, 65_536, 0, 65_536, 3]);
  assert.ok((await read(client, "structured", 0, 131_072)).equals(Buffer.alloc(131_072)));
  client.socket.destroy();
});

test("a range larger than any write is zeroed and trimmed in steps", async () => {
  await using server = await MemoryServer.start({ size: 2 ** 40 });
  const client = await transmitting(server, "extended");
  assert.equal((await client.request({ type: TRIM, offset: 4096, length: 1024 * MiB })).error, 0);
  assert.deepEqual(server.device.asked, ["discard", "discard", "discard"]);
  assert.equal(
    (await client.request({ type: ZEROES, flags: NO_HOLE, offset: 2 ** 39, length: 9 * MiB })).error,
    0,
  );
  assert.deepEqual(server.device.asked.slice(3), ["write", "write", "write"]);
  client.socket.destroy();
});

test("block status of several contexts, one extent where one is asked for, and by the payload's choice", async () => {
  await using server = await MemoryServer.start();
  const simple = await transmitting(server, "simple");
  await simple.request({ type: WRITE, payload: Buffer.alloc(65_536, 1) });
  server.device.snapshot("monday");
  await simple.request({ type: WRITE, offset: 131_072, payload: Buffer.alloc(65_536, 1) });
  await simple.request({ type: TRIM, length: 65_536 });
  const contexts = ["base:allocation", "siphon:diff/monday"];
  const client = await transmitting(server, "extended", contexts);
  const words = (payload: Buffer) =>
    Array.from({ length: (payload.length - 8) / 8 }, (_, i) => Number(payload.readBigUInt64BE(8 + 8 * i)));
  const { chunks } = await client.request({ type: STATUS, length: 262_144 });
  assert.deepEqual(
    chunks.map(({ payload }) => [payload.readUInt32BE(0), payload.readUInt32BE(4), ...words(payload)]),
    [
      [1, 3, 131_072, 3, 65_536, 0, 65_536, 3],
      [2, 4, 65_536, 3, 65_536, 0, 65_536, 1, 65_536, 0],
    ],
  );
  const one = await client.request({ type: STATUS, flags: REQ_ONE, length: 100_000 });
  assert.deepEqual(
    one.chunks.map(({ payload }) => words(payload)),
    [
      [100_000, 3],
      [65_536, 3],
    ],
  );
  const chosen = Buffer.alloc(12);
  chosen.writeBigUInt64BE(262_144n, 0);
  chosen.writeUInt32BE(2, 8);
  const second = await client.request({ type: STATUS, flags: PAYLOAD_LEN, payload: chosen });
  assert.deepEqual(
    second.chunks.map(({ payload }) => payload.readUInt32BE(0)),
    [2],
  );
  chosen.writeUInt32BE(9, 8);
  assert.equal((await client.request({ type: STATUS, flags: PAYLOAD_LEN, payload: chosen })).error, EINVAL);
  for (const [failure, error] of [
    [new RbdError("SIPHON_RBD_FENCED", "on the blocklist"), ESHUTDOWN],
    [new Error("something else"), EIO],
  ] as const) {
    server.device.allocation = () => Promise.reject(failure);
    assert.equal((await client.request({ type: STATUS, length: 65_536 })).error, error);
  }
  simple.socket.destroy();
  client.socket.destroy();
});

test("a read-only disk takes no writes", async () => {
  await using server = await MemoryServer.start({ size: MiB, readOnly: true });
  const client = await transmitting(server, "simple");
  for (const request of [
    { type: WRITE, payload: Buffer.alloc(512) },
    { type: TRIM, length: 512 },
    { type: ZEROES, length: 512 },
  ]) {
    assert.equal((await client.request(request)).error, EPERM);
  }
  assert.equal((await client.request({ type: CACHE, length: MiB })).error, 0);
  assert.deepEqual(server.device.asked, []);
  client.socket.destroy();
});

test("a new connection sees a new size, and an old one may use it", async () => {
  await using server = await MemoryServer.start({ size: MiB });
  const client = await transmitting(server, "simple");
  server.device.resize(2 * MiB);
  assert.equal((await client.request({ type: WRITE, offset: MiB, payload: Buffer.alloc(512) })).error, 0);
  const later = await NbdClient.connect(server.socket);
  await later.greet();
  later.sendOption(1, Buffer.from("pool/disk"));
  assert.equal((await later.read(10)).readBigUInt64BE(0), BigInt(2 * MiB));
  client.socket.destroy();
  later.socket.destroy();
});

test("a request that is none, or announces too much, ends its connection and no other", async () => {
  await using server = await MemoryServer.start();
  const bystander = await transmitting(server, "simple");
  const garbage = await transmitting(server, "simple");
  garbage.socket.write(Buffer.alloc(28, 0x41));
  await garbage.end();
  assert.match(server.log.at(-1)!, /a request starts with 0x41414141/);
  const greedy = await transmitting(server, "simple");
  greedy.send({ type: WRITE, length: 0xffff_ffff });
  await greedy.end();
  assert.match(server.log.at(-1)!, /a request has 4294967295 bytes; the maximum is 33554432/);
  assert.equal((await bystander.request({ type: FLUSH })).error, 0);
  bystander.socket.destroy();
});

test("a client that sends and does not read is made to wait, and loses nothing", async () => {
  await using server = await MemoryServer.start();
  const client = await transmitting(server, "simple");
  await client.request({ type: WRITE, payload: Buffer.alloc(MiB, 5) });
  server.device.asked.length = 0;
  client.socket.pause();
  for (let i = 0; i < 256; i++) client.send({ type: READ, length: MiB });
  // Both sides are in this process: what is not asked for in so many turns of its event loop is waited for.
  for (let [turns, before] = [0, 0]; turns < 200; turns++) {
    await new Promise(setImmediate);
    if (server.device.asked.length === before) continue;
    [turns, before] = [0, server.device.asked.length];
  }
  assert.ok(server.device.asked.length > 0);
  assert.ok(server.device.asked.length < 64, `${server.device.asked.length} MiB were read for it`);
  client.socket.resume();
  for (let i = 0; i < 256; i++) assert.equal((await client.simpleReply(MiB)).data.length, MiB);
  client.socket.destroy();
});

test("draining answers the requests in flight, accepts no more, and disconnects the clients", async () => {
  const server = await MemoryServer.start();
  const client = await transmitting(server, "simple");
  const hold = Promise.withResolvers<void>();
  server.device.held = hold.promise;
  client.send({ type: WRITE, payload: Buffer.alloc(4096, 3) });
  while (server.device.asked.length === 0) await new Promise(setImmediate);
  const drained = server[Symbol.asyncDispose]();
  client.send({ type: FLUSH });
  hold.resolve();
  assert.equal((await client.simpleReply()).error, 0);
  await client.end();
  await drained;
  assert.deepEqual(server.device.asked, ["write"]);
  await assert.rejects(NbdClient.connect(server.socket), { code: "ENOENT" });
});

test("draining does not wait for the rest of a write that has only begun", async () => {
  const server = await MemoryServer.start();
  const client = await transmitting(server, "simple");
  const header = (type: number, length: number): Buffer => {
    const bytes = Buffer.alloc(28);
    bytes.writeUInt32BE(0x25609513, 0);
    bytes.writeUInt16BE(type, 6);
    bytes.writeUInt32BE(length, 24);
    return bytes;
  };
  // They are read together: once the first is answered, the second has begun.
  client.socket.write(Buffer.concat([header(FLUSH, 0), header(WRITE, 4096), Buffer.alloc(100)]));
  await client.simpleReply();
  const begun = performance.now();
  await server.server.drain(patience);
  assert.ok(performance.now() - begun < patience, "it was not cut off for its lack of patience");
  assert.deepEqual(server.device.asked, ["flush"]);
});
/** Milliseconds. */
const patience = 60_000;

test("a client that leaves with requests in flight leaves nothing behind", async () => {
  await using server = await MemoryServer.start();
  const hold = Promise.withResolvers<void>();
  server.device.held = hold.promise;
  const client = await transmitting(server, "structured");
  for (let i = 0; i < 10; i++) client.send({ type: READ, length: 65_536 });
  while (server.device.asked.length < 10) await new Promise(setImmediate);
  client.socket.destroy();
  while (server.metrics.connections > 0) await new Promise(setImmediate);
  hold.resolve();
  while (server.metrics.inFlight > 0) await new Promise(setImmediate);
  client.send({ type: DISC });
});
