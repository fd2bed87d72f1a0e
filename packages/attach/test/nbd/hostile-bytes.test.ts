import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MemoryServer } from "../support/memory-server.ts";
import { contextQuery, goRequest, NbdClient, u32 } from "../support/nbd-client.ts";

/** The bytes of a well-behaved client, from the first to the last. */
function session(extended: boolean): Buffer {
  const option = (code: number, data: Buffer = Buffer.alloc(0)) =>
    Buffer.concat([Buffer.from("IHAVEOPT"), u32(code), u32(data.length), data]);
  const request = (
    type: number,
    flags: number,
    offset: number,
    length: number,
    payload = Buffer.alloc(0),
  ) => {
    const header = Buffer.alloc(extended ? 32 : 28);
    header.writeUInt32BE(extended ? 0x21e41c71 : 0x25609513, 0);
    header.writeUInt16BE(flags, 4);
    header.writeUInt16BE(type, 6);
    header.writeUInt32BE(offset, 20);
    header.writeUInt32BE(length, extended ? 28 : 24);
    return Buffer.concat([header, payload]);
  };
  return Buffer.concat([
    u32(3),
    option(extended ? 11 : 8),
    option(3),
    option(10, contextQuery("pool/disk", ["base:allocation"])),
    option(7, goRequest("pool/disk", [1, 2, 3])),
    request(1, extended ? 32 : 0, 4096, 8192, Buffer.alloc(8192, 1)),
    request(0, 0, 0, 65_536),
    request(6, 2, 0, 8192),
    request(7, 0, 0, 1 << 20),
    request(4, 1, 0, 4096),
    request(3, 0, 0, 0),
    request(2, 0, 0, 0),
  ]);
}

const sessions = [session(false), session(true)];

const mutation = fc.record({
  at: fc.nat(),
  bytes: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 8 }),
    fc.constantFrom(
      new Uint8Array(4).fill(255),
      new Uint8Array(8).fill(255),
      new Uint8Array([0, 0, 0, 0]),
      new Uint8Array([127, 255, 255, 255]),
    ),
  ),
});

test("whatever a client sends, the server answers or hangs up, and goes on with the others", async () => {
  await using server = await MemoryServer.start({ size: 8 << 20 });
  const before = process.memoryUsage().rss;
  const script = fc.record({
    base: fc.constantFrom(...sessions),
    mutations: fc.array(mutation, { maxLength: 4 }),
    cut: fc.option(fc.nat()),
    portion: fc.integer({ min: 1, max: 20_000 }),
  });
  await fc.assert(
    fc.asyncProperty(script, async ({ base, mutations, cut, portion }) => {
      const bytes = Buffer.from(base);
      for (const { at, bytes: changed } of mutations)
        bytes.set(changed.subarray(0, bytes.length - (at % bytes.length)), at % bytes.length);
      const client = await NbdClient.connect(server.socket);
      const sent = bytes.subarray(0, cut === null ? bytes.length : cut % bytes.length);
      for (let at = 0; at < sent.length; at += portion) client.socket.write(sent.subarray(at, at + portion));
      client.socket.end();
      await client.end();
    }),
    { numRuns: 1500 },
  );
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (noise) => {
      const client = await NbdClient.connect(server.socket);
      client.socket.end(noise);
      await client.end();
    }),
    { numRuns: 500 },
  );
  const sane = await NbdClient.connect(server.socket);
  await sane.go("pool/disk");
  assert.equal((await sane.request({ type: 3 })).error, 0);
  sane.socket.destroy();
  while (server.metrics.inFlight > 0) await new Promise(setImmediate);
  assert.ok(process.memoryUsage().rss - before < 256 << 20, "no memory beyond what came");
});
