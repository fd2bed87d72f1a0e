import assert from "node:assert/strict";
import { test } from "node:test";
import { IoMetrics } from "../../src/server/io-metrics.ts";
import { MemoryDevice } from "../support/memory-device.ts";
import { MemoryServer } from "../support/memory-server.ts";
import { contextQuery, goRequest, NbdClient, text, u32 } from "../support/nbd-client.ts";

const ack = 1;
const unsupported = 0x8000_0001;
const invalid = 0x8000_0003;
const unknown = 0x8000_0006;

function twoExports() {
  return ["pool/one", "pool/two"].map((name, i) => {
    const device = new MemoryDevice({ size: (i + 1) << 20, readOnly: i === 1 });
    return { name, description: `disk ${name}`, device, extents: device, metrics: new IoMetrics() };
  });
}

test("the server offers the fixed newstyle, lists its exports and tells about each", async () => {
  await using server = await MemoryServer.start(undefined, { exports: twoExports() });
  const client = await NbdClient.connect(server.socket);
  const greeting = await client.greet();
  assert.equal(greeting.toString("latin1", 0, 16), "NBDMAGICIHAVEOPT");
  assert.equal(greeting.readUInt16BE(16), 3);
  const listed = await client.option(3);
  assert.deepEqual(
    listed.map(({ type, data }) => [type, data.toString("latin1", 4)]),
    [
      [2, "pool/onedisk pool/one"],
      [2, "pool/twodisk pool/two"],
      [ack, ""],
    ],
  );
  const told = await client.option(6, goRequest("pool/two", [1, 2, 3]));
  const items = new Map(told.slice(0, -1).map(({ data }) => [data.readUInt16BE(0), data.subarray(2)]));
  assert.equal(items.get(0)!.readBigUInt64BE(0), 2n << 20n);
  assert.equal(items.get(0)!.readUInt16BE(8) & 2, 2, "read-only");
  assert.equal(items.get(1)!.toString(), "pool/two");
  assert.equal(items.get(2)!.toString(), "disk pool/two");
  assert.deepEqual(
    [0, 4, 8].map((at) => items.get(3)!.readUInt32BE(at)),
    [1, 4096, 32 << 20],
  );
  client.sendOption(2);
  assert.equal((await client.optionReply()).type, ack);
  await client.end();
});

test("names that do not exist, and the empty one where there are several, are unknown", async () => {
  await using server = await MemoryServer.start(undefined, { exports: twoExports() });
  const client = await NbdClient.connect(server.socket);
  await client.greet();
  for (const name of ["", "pool/three"]) {
    assert.equal((await client.option(7, goRequest(name))).at(-1)!.type, unknown);
  }
  assert.equal((await client.option(7, goRequest("pool/one"))).at(-1)!.type, ack);
  client.socket.destroy();
});

test("options that are unknown or do not add up are refused, and the handshake goes on", async () => {
  await using server = await MemoryServer.start();
  const client = await NbdClient.connect(server.socket);
  await client.greet();
  assert.equal((await client.option(99))[0]!.type, unsupported);
  assert.equal((await client.option(3, u32(1)))[0]!.type, invalid);
  assert.equal((await client.option(8, u32(1)))[0]!.type, invalid);
  assert.equal((await client.option(7, text("pool/disk")))[0]!.type, invalid);
  assert.equal(
    (await client.option(7, Buffer.concat([u32(0xffff_fff0), Buffer.alloc(2)])))[0]!.type,
    invalid,
  );
  const early = await client.option(10, contextQuery("pool/disk", ["base:allocation"]));
  assert.equal(early[0]!.type, invalid, "no contexts before structured replies");
  assert.equal((await client.option(5))[0]!.type, 0x8000_0002, "no TLS without certificates");
  assert.equal((await client.option(8))[0]!.type, ack);
  assert.equal((await client.option(7, goRequest("")))[0]!.type, 3);
  client.socket.destroy();
});

test("contexts are chosen for one export, and chosen anew with each option", async () => {
  await using server = await MemoryServer.start();
  server.device.snapshot("monday");
  const client = await NbdClient.connect(server.socket);
  await client.greet();
  await client.option(8);
  const listed = await client.option(9, contextQuery("pool/disk", []));
  assert.deepEqual(
    listed.slice(0, -1).map(({ data }) => data.toString("utf8", 4)),
    ["base:allocation", "siphon:diff/monday"],
  );
  const set = await client.option(10, contextQuery("pool/disk", ["siphon:diff/monday", "other:x"]));
  assert.deepEqual(
    set.map(({ type }) => type),
    [4, ack],
  );
  assert.deepEqual(
    (await client.option(10, contextQuery("pool/disk", []))).map(({ type }) => type),
    [ack],
  );
  await client.option(7, goRequest("pool/disk"));
  assert.equal((await client.request({ type: 7, length: 4096 })).error, 22, "no context was set last");
  client.socket.destroy();
});

test("the oldest way to choose an export works, with its 124 zeros unless the client waives them", async () => {
  await using server = await MemoryServer.start();
  for (const [flags, zeros] of [
    [3, 0],
    [1, 124],
  ] as const) {
    const client = await NbdClient.connect(server.socket);
    await client.greet(flags);
    client.sendOption(1, Buffer.from("pool/disk"));
    const answer = await client.read(10 + zeros);
    assert.equal(answer.readBigUInt64BE(0), 64n << 20n);
    client.send({ type: 3 });
    assert.equal((await client.simpleReply()).error, 0);
    client.send({ type: 2 });
    await client.end();
  }
});

test("a client that breaks the handshake is let go, with a line in the log", async () => {
  await using server = await MemoryServer.start();
  const breaks: [string, (client: NbdClient) => void][] = [
    ["does not support fixed newstyle", (client) => client.socket.write(u32(0))],
    ["unknown handshake flags", (client) => client.socket.write(u32(0x8001))],
    [
      "did not start with IHAVEOPT",
      (client) => client.socket.write(Buffer.concat([u32(3), Buffer.alloc(16)])),
    ],
    [
      "no export called",
      (client) => {
        client.socket.write(u32(3));
        client.sendOption(1, Buffer.from("nowhere"));
      },
    ],
    [
      "the maximum is 65536",
      (client) => client.socket.write(Buffer.concat([u32(3), Buffer.from("IHAVEOPT"), u32(3), u32(1 << 20)])),
    ],
  ];
  for (const [reason, break_] of breaks) {
    const client = await NbdClient.connect(server.socket);
    await client.read(18);
    break_(client);
    await client.end();
    assert.match(server.log.at(-1)!, new RegExp(reason));
  }
  const client = await NbdClient.connect(server.socket);
  await client.go("pool/disk");
  client.socket.destroy();
});

test("a client that never chooses an export is let go", async () => {
  await using server = await MemoryServer.start(undefined, { handshakeTimeout: 50 });
  const client = await NbdClient.connect(server.socket);
  await client.end();
  assert.match(server.log[0]!, /chose no export in time/);
});
