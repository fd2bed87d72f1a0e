import assert from "node:assert/strict";
import { test } from "node:test";
import { DiskServer } from "../../src/server/disk-server.ts";
import { IoMetrics } from "../../src/server/io-metrics.ts";
import { MemoryDevice } from "../support/memory-device.ts";

function recorded(steps: string[], name: string, readOnly = false) {
  const device = new MemoryDevice({ size: 1 << 20, readOnly });
  const close = async () => {
    steps.push(`${name} closed after ${device.flushes} flushes`);
  };
  return { name, serial: "", device, extents: device, metrics: new IoMetrics(), close };
}

function front(steps: string[], fails = false): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      steps.push("front ended");
      if (fails) throw new Error("no end");
    },
  };
}

test("clients go first, then everything is made to last, then the disks are let go of", async () => {
  const steps: string[] = [];
  const server = new DiskServer([recorded(steps, "one"), recorded(steps, "two", true)], [front(steps)]);
  await server.drain();
  assert.deepEqual(steps, ["front ended", "one closed after 1 flushes", "two closed after 0 flushes"]);
});

test("what fails on the way is told in the end, and stops nothing", async () => {
  const steps: string[] = [];
  const disk = recorded(steps, "one");
  disk.device.failure = -108;
  const server = new DiskServer([disk], [front(steps, true)]);
  await assert.rejects(server.drain(), {
    code: "SIPHON_ATTACH_DRAIN",
    message: "some images were not closed in order: no end; flush failed with errno 108",
  });
  assert.equal(steps.at(-1), "one closed after 0 flushes");
});
