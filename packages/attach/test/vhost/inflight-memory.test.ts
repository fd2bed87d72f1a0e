import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { VhostEvent } from "../../src/vhost/events.ts";
import { createSharedMemory, Mapping } from "../../src/vhost/native/mapping.ts";
import { inflight } from "../../src/vhost/protocol/payloads.ts";
import { inflightAreaBytes } from "../../src/vhost/ring/inflight.ts";
import { VhostServer } from "../../src/vhost/server.ts";
import { FrontEnd, type FrontEndOptions } from "../support/front-end.ts";
import { GuestDriver } from "../support/guest-driver.ts";
import { MemoryDevice } from "../support/memory-device.ts";

const directory = mkdtempSync(join(tmpdir(), "inflight-"));
after(() => rmSync(directory, { recursive: true, force: true }));
let sockets = 0;

const good = { status: 0, written: 1 };
const dataAt = 4 << 20;
const queues = 2;
const asked = 128;

async function serve() {
  const device = new MemoryDevice({ size: 64 << 20 });
  const events: VhostEvent[] = [];
  const socket = join(directory, `${sockets++}.sock`);
  const server = await VhostServer.listen({ device, socket, report: (event) => events.push(event) });
  return { device, server, events };
}

/** Three requests on each queue of a server that is as good as killed meanwhile; the next one carries them out. */
async function surviveKill(options: FrontEndOptions, resume?: FrontEnd): Promise<FrontEnd> {
  const { server, device } = await serve();
  const first = await FrontEnd.connect(server.socket, { queues, ...options, ...(resume && { resume }) });
  const drivers = first.queues.map((_, index) => new GuestDriver(first, index));
  assert.deepEqual(await Promise.all(drivers.map((driver) => driver.write(0, dataAt, 512))), [good, good]);
  device.held = new Promise(() => {});
  const outcomes = drivers.flatMap((driver) =>
    [3, 1, 2].map((place) => driver.write(place * 4096, dataAt, 512)),
  );
  while (device.asked.length < 2 + outcomes.length) await new Promise(setImmediate);
  const { server: next, device: nextDevice } = await serve();
  await using _ = next;
  first.disconnect();
  const second = await FrontEnd.connect(next.socket, { queues, ...options, resume: first });
  for (const [index, driver] of drivers.entries()) new GuestDriver(second, index).adopt(driver);
  assert.deepEqual(
    await Promise.all(outcomes),
    outcomes.map(() => good),
  );
  assert.equal(nextDevice.asked.length, outcomes.length);
  second.disconnect();
  return second;
}

/** An area with room for rings of the size that was asked for and no more, as older servers made them. */
function olderArea(queueSize: number): NonNullable<FrontEnd["inflight"]> {
  const mmapSize = queues * inflightAreaBytes(queueSize);
  const fd = createSharedMemory("older", mmapSize);
  return { fd, description: { mmapSize, mmapOffset: 0, queues, queueSize } };
}

describe("the memory in which requests under way are recorded", () => {
  for (const queueSize of [asked, 256, 1024]) {
    test(`has room for rings of ${queueSize} where it was asked for rings of ${asked}: a kill loses none`, async () => {
      using _ = await surviveKill({ queueSize, inflightQueueSize: asked });
    });
  }

  test("serves the rings of a firmware first, and then larger ones of a kernel", async () => {
    const { server } = await serve();
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket, { queueSize: 1024, inflightQueueSize: asked });
    for (const size of [256, 1024, 128]) {
      await frontEnd.stopQueue(0);
      frontEnd.memory.fill(0);
      await frontEnd.setInflight();
      await frontEnd.startQueue(0, size);
      assert.deepEqual(await new GuestDriver(frontEnd).write(0, dataAt, 512), good);
    }
  });

  test("begins as older servers lay it out, who may be the next ones", async () => {
    const { server, device } = await serve();
    await using _ = server;
    using frontEnd = await FrontEnd.connect(server.socket, { queues, queueSize: asked });
    const hold = Promise.withResolvers<void>();
    device.held = hold.promise;
    const write = new GuestDriver(frontEnd, 1).write(0, dataAt, 512);
    while (device.asked.length === 0) await new Promise(setImmediate);
    using mapping = new Mapping(frontEnd.inflight!.fd, 0, queues * inflightAreaBytes(asked));
    const area = new Uint8Array(mapping.view(inflightAreaBytes(asked), inflightAreaBytes(asked)));
    const marked = Array.from({ length: asked }, (_, head) => area[16 + 16 * head]!);
    assert.equal(
      marked.reduce((sum, mark) => sum + mark),
      1,
    );
    hold.resolve();
    await write;
  });

  test("of an older server is taken over", async () => {
    const { server } = await serve();
    await using _ = server;
    using opened = FrontEnd.open(server.socket, { queues, queueSize: asked });
    opened.inflight = olderArea(asked);
    using __ = await surviveKill({ queueSize: asked }, opened);
  });

  test("of an older server is refused for a ring that it has no room for, in a sentence", async () => {
    const { server, events } = await serve();
    await using _ = server;
    using frontEnd = FrontEnd.open(server.socket, { queues, queueSize: 1024, inflightQueueSize: asked });
    frontEnd.inflight = olderArea(asked);
    await frontEnd.negotiate();
    await frontEnd.setMemory();
    await frontEnd.setInflight();
    await assert.rejects(frontEnd.startQueue(0, 1024), /refused setVringKick/);
    const refused = events.find((event) => event.type === "refused");
    assert.match(String(refused?.error), /a ring of 1024 with an inflight area for 128; restart the VM/);
  });

  test("is not made in sizes that no VM needs", async () => {
    const { server } = await serve();
    await using _ = server;
    for (const wanted of [
      { queues: 0, queueSize: 128 },
      { queues: 17, queueSize: 128 },
      { queues: 0xffff, queueSize: 1024 },
      { queues: 1, queueSize: 0 },
      { queues: 1, queueSize: 1025 },
    ]) {
      using frontEnd = FrontEnd.open(server.socket);
      await frontEnd.negotiate();
      assert.equal(
        await frontEnd.accepted("getInflightFd", inflight({ ...wanted, mmapSize: 0, mmapOffset: 0 }, 20)),
        false,
      );
    }
  });

  test("is refused where the front-end says that it is longer than it is, or too short", async () => {
    const { server } = await serve();
    await using _ = server;
    using frontEnd = FrontEnd.open(server.socket, { queues });
    await frontEnd.negotiate();
    const { fd, description } = olderArea(asked);
    for (const wrong of [
      { mmapSize: 2 ** 40 },
      { mmapSize: description.mmapSize - 1 },
      { mmapOffset: 64 },
      { queues: 3 },
      { queueSize: 256 },
    ]) {
      const payload = inflight({ ...description, ...wrong }, 20);
      assert.equal(await frontEnd.accepted("setInflightFd", payload, [fd]), false, JSON.stringify(wrong));
    }
    assert.ok(await frontEnd.accepted("setInflightFd", inflight(description, 20), [fd]));
  });
});
