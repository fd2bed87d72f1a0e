import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { ImageRequest } from "@siphon/rbd/engine";
import { IoMetrics } from "../../src/server/io-metrics.ts";
import { parseDiskLimits } from "../../src/throttle/disk-limits.ts";
import { ThrottledDevice } from "../../src/throttle/throttled-device.ts";
import { MemoryDevice } from "../support/memory-device.ts";

/** Time goes on only when it is told to. */
function throttled(t: TestContext, limits: string) {
  let now = 0;
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(performance, "now", () => now);
  const disk = new MemoryDevice({ size: 1 << 30 });
  const metrics = new IoMetrics();
  const device = new ThrottledDevice(disk, metrics);
  device.limit(parseDiskLimits(limits));
  const wait = (ms: number) => {
    for (let passed = 0; passed < ms; passed++) {
      now++;
      t.mock.timers.tick(1);
    }
  };
  return { disk, device, metrics, wait };
}

test("reads and writes wait as their limits have it, and flushes do not", (t) => {
  const { disk, device, metrics, wait } = throttled(t, "read-iops=100,write-iops=10");
  for (let n = 0; n < 200; n++) {
    device.read(new Asked(4096));
    device.write(new Asked(4096));
  }
  wait(1000);
  const count = (what: string) => disk.asked.filter((each) => each === what).length;
  assert.ok(count("read") >= 100 && count("read") <= 112, String(count("read")));
  assert.ok(count("write") >= 10 && count("write") <= 12, String(count("write")));
  assert.ok(metrics.throttled > 350);
  device.flush(new Asked(0));
  assert.equal(count("flush"), 1);
  device.limit({});
  assert.deepEqual([count("read"), count("write")], [200, 200]);
});

test("bytes are limited whatever the size of a request, and a discard has none", (t) => {
  const { disk, device, wait } = throttled(t, "bps=1M");
  for (let n = 0; n < 100; n++) device.write(new Asked(65_536));
  wait(1000);
  const written = disk.asked.length * 65_536;
  assert.ok(written >= 1 << 20 && written <= 1.3 * (1 << 20), String(written));
  device.limit({});
  device.limit(parseDiskLimits("bps=1M"));
  for (let n = 0; n < 5; n++) device.discard(new Asked(100 << 20));
  assert.equal(disk.asked.filter((what) => what === "discard").length, 5);
});

test("under a shared limit requests are served in order, and none is starved", (t) => {
  const { disk, device, wait } = throttled(t, "iops=100");
  for (let n = 0; n < 20; n++) device.write(new Asked(512));
  for (let n = 0; n < 20; n++) device.read(new Asked(512));
  wait(90);
  assert.ok(disk.asked.every((what) => what === "write"));
  wait(310);
  assert.deepEqual(disk.asked, [...new Array(20).fill("write"), ...new Array(20).fill("read")]);
});

test("a limit that is raised lets those go on that wait", (t) => {
  const { disk, device, wait } = throttled(t, "iops=1");
  for (let n = 0; n < 50; n++) device.read(new Asked(512));
  wait(10);
  assert.equal(disk.asked.length, 1);
  device.limit(parseDiskLimits("iops=10000"));
  wait(5);
  assert.equal(disk.asked.length, 50);
});

test("without limits nothing waits, and nothing is counted", (t) => {
  const { disk, device, metrics } = throttled(t, "iops=0");
  for (let n = 0; n < 1000; n++) device.read(new Asked(512));
  assert.equal(disk.asked.length, 1000);
  assert.equal(metrics.throttled, 0);
});

test("a request that has to wait for months is not looked at all the time", async () => {
  const device = new ThrottledDevice(new MemoryDevice({ size: 1 << 30 }), new IoMetrics());
  const warnings: Error[] = [];
  const warned = (warning: Error) => void warnings.push(warning);
  process.on("warning", warned);
  device.limit(parseDiskLimits("bps=1"));
  for (let n = 0; n < 2; n++) device.write(new Asked(32 << 20));
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  process.off("warning", warned);
  device.limit({});
  assert.deepEqual(warnings, []);
});

class Asked extends ImageRequest {
  constructor(length: number) {
    super();
    this.length = length;
  }

  fill(): void {}
  take(): void {}
  takeZeros(): void {}
  completed(): void {}
}
