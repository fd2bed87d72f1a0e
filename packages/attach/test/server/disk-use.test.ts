import assert from "node:assert/strict";
import { test } from "node:test";
import { ImageRequest } from "@siphon/rbd/engine";
import { AttachError } from "../../src/errors.ts";
import { UsedDevice } from "../../src/nbd/used-device.ts";
import { DiskUse } from "../../src/server/disk-use.ts";
import { IoMetrics } from "../../src/server/io-metrics.ts";
import { MemoryDevice } from "../support/memory-device.ts";
import { MemoryServer } from "../support/memory-server.ts";
import { NbdClient } from "../support/nbd-client.ts";

function lockOf() {
  const said: string[] = [];
  const lock = {
    keep: (keeps: boolean) => void said.push(keeps ? "keep" : "lend"),
    acquire: async () => void said.push("acquire"),
  };
  return { said, use: new DiskUse(lock) };
}

class Request extends ImageRequest {
  readonly done = Promise.withResolvers<void>();
  override completed(): void {
    this.done.resolve();
  }
  override fill(): void {}
  override take(): void {}
  override takeZeros(): void {}
}

test("a disk's lock is taken with its first user, and kept until the last one has left", () => {
  const { said, use } = lockOf();
  const [first, second] = [{}, {}];
  use.begin(first);
  use.begin(first);
  use.begin(second);
  assert.deepEqual(said, ["keep", "acquire"]);
  use.end(first);
  use.end(first);
  assert.equal(said.length, 2);
  use.end(second);
  use.begin(first);
  assert.deepEqual(said, ["keep", "acquire", "lend", "keep", "acquire"]);
});

test("a lock that cannot be had is for the first write to tell of", async () => {
  const acquire = () => Promise.reject(new AttachError("SIPHON_ATTACH_DISK", "the lock was taken by hand"));
  new DiskUse({ keep: () => {}, acquire }).begin({});
  await new Promise(setImmediate);
});

test("NBD clients use a disk from a change to the next flush, or until they are gone; reads are no use", async () => {
  const { said, use } = lockOf();
  const device = new UsedDevice(new MemoryDevice({ size: 1 << 20 }), use);
  const carryOut = async (what: "read" | "write" | "discard" | "writeZeroes" | "flush") => {
    const request = new Request();
    request.length = what === "flush" ? 0 : 512;
    device[what](request);
    await request.done.promise;
    return said.splice(0);
  };
  assert.deepEqual(await carryOut("read"), []);
  for (const change of ["write", "discard", "writeZeroes"] as const) {
    assert.deepEqual(await carryOut(change), ["keep", "acquire"]);
    assert.deepEqual(await carryOut(change), []);
    assert.deepEqual(await carryOut("flush"), ["lend"]);
  }
  device.joined();
  await carryOut("write");
  device.left();
  assert.deepEqual(said, ["lend"]);
});

test("a disk's use over NBD ends when its last client has left", async () => {
  const { said, use } = lockOf();
  const disk = new MemoryDevice({ size: 1 << 20 });
  const device = new UsedDevice(disk, use);
  const ended = Promise.withResolvers<void>();
  let clients = 0;
  const joined = () => {
    clients++;
    device.joined();
  };
  const left = () => {
    device.left();
    if (--clients === 0) ended.resolve();
  };
  const metrics = new IoMetrics();
  // A VM over vhost-user-blk, which has the same disk.
  metrics.connections = 1;
  const served = { ...{ description: "a disk", device, extents: undefined, metrics }, joined, left };
  await using server = await MemoryServer.start(undefined, { exports: [{ name: "pool/disk", ...served }] });
  const [first, second] = [await NbdClient.connect(server.socket), await NbdClient.connect(server.socket)];
  for (const client of [first, second]) await client.go("pool/disk");
  first.send({ type: 1, length: 512, payload: Buffer.alloc(512) });
  assert.equal((await first.reply()).error, 0);
  first.socket.destroy();
  second.send({ type: 0, length: 512 });
  assert.equal((await second.reply()).error, 0);
  assert.deepEqual(said, ["keep", "acquire"]);
  second.socket.destroy();
  await ended.promise;
  assert.deepEqual(said, ["keep", "acquire", "lend"]);
});
