import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Socket } from "node:net";
import { test } from "node:test";
import { DriverLink, nextLink } from "../../src/device/driver-link.ts";
import { ChunkPool } from "../../src/nbd/chunk-pool.ts";
import { NbdConnection } from "../../src/nbd/connection.ts";
import { SegmentPool } from "../../src/nbd/payload.ts";
import { ReceiveMemory } from "../../src/nbd/receive-memory.ts";
import { IoMetrics } from "../../src/server/io-metrics.ts";
import { createLimits } from "../../src/server/limits.ts";
import { duplicate } from "../../src/vhost/native/socket.ts";
import { MemoryDevice } from "../support/memory-device.ts";
import { NbdClient } from "../support/nbd-client.ts";

const [READ, WRITE, DISC] = [0, 1, 2];

test("a link that nobody has taken is not a connection", () => {
  const link = new DriverLink();
  assert.equal(link.accepted(), undefined);
});

test("the next link of a mapped device waits until there are descriptors for it", async () => {
  // Descriptors have numbers below the limit. The program that raises it again is started before.
  const prlimit = (files: number) => `prlimit --pid ${process.pid} --nofile=${files}:`;
  const limiter = spawn("sh", ["-c", `read go && ${prlimit(3)} && echo && read go && ${prlimit(4096)}`]);
  limiter.stdin.write("\n");
  await once(limiter.stdout, "data");
  assert.throws(() => new DriverLink(), { retryable: true, message: /EMFILE/ });
  const next = nextLink();
  limiter.stdin.write("\n");
  (await next).discard();
});

test("who takes a link begins with requests, and is known to have left once it says so", async () => {
  const device = new MemoryDevice({ size: 1 << 20 });
  const link = new DriverLink();
  // As the driver does while it is told.
  const client = new NbdClient(new Socket({ fd: duplicate(link.theirs), readable: true, writable: true }));
  const fd = link.accepted();
  assert.ok(fd !== undefined);
  const ended = Promise.withResolvers<boolean>();
  const host = {
    ...{ exports: new Map(), credentials: undefined, handshakeTimeout: 0, limits: createLimits() },
    ...{ memory: new ReceiveMemory(), chunks: new ChunkPool(), segments: new SegmentPool(), log: () => {} },
    closed: (connection: NbdConnection) => ended.resolve(connection.hasLeft),
  };
  const only = { name: "", description: "", device, extents: undefined, metrics: new IoMetrics() };
  new NbdConnection(host, fd, "the driver", { export: only, replies: "simple", contexts: [] });
  client.send({ type: WRITE, offset: 4096, payload: Buffer.alloc(4096, 7) });
  assert.equal((await client.simpleReply()).error, 0);
  client.send({ type: READ, offset: 4096, length: 4096 });
  assert.deepEqual((await client.simpleReply(4096)).data, Buffer.alloc(4096, 7));
  const closed = once(client.socket, "close");
  client.send({ type: DISC });
  assert.equal(await ended.promise, true);
  await closed;
});
