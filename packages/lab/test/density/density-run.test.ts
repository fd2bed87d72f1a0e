import assert from "node:assert/strict";
import { test } from "node:test";
import { densityRunOf } from "../../src/density/density-run.ts";
import type { DensitySlice } from "../../src/density/slice.ts";

const latency = (p99: number) => ({ mean: p99 / 4, p50: p99 / 5, p95: p99 / 2, p99, p999: 2 * p99 });
const cpu = (seconds: number) => ({ user: seconds, system: 0, threads: { iothread: seconds } });

const slice = (fast: number, slow: number): DensitySlice => ({
  seconds: 0.5,
  vms: [
    { ios: fast / 2, iops: fast, latency: latency(1000) },
    { ios: slow / 2, iops: slow, latency: latency(3000) },
  ],
  client: cpu(0.4),
  osds: cpu(0.2),
  memory: 800 * 2 ** 20,
  outputs: ["{}", "{}"],
});

test("VMs under load together have the IOPS of all, and the memory of each", () => {
  const run = densityRunOf([slice(3000, 1000), slice(3000, 1000)], 4096);
  assert.deepEqual([run.iops, run.ios, run.seconds], [4000, 4000, 1]);
  assert.equal(run.bytesPerSecond, 4000 * 4096);
  assert.equal(run.memory, 400 * 2 ** 20);
  assert.equal(run.latency.p99, 2000);
  assert.equal(run.latency.mean, 250 * 0.75 + 750 * 0.25);
  assert.deepEqual(run.cpu.client, { user: 0.8, system: 0, threads: { iothread: 0.8 } });
  assert.equal(run.cpu.osds?.user, 0.4);
});

test("a VM that gets less than the others shows", () => {
  assert.equal(densityRunOf([slice(3000, 1000)], 4096).slowest, 0.5);
  assert.equal(densityRunOf([slice(2000, 2000)], 4096).slowest, 1);
});
