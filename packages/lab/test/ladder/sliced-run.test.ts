import assert from "node:assert/strict";
import { test } from "node:test";
import { type PlacedSlice, runOf } from "../../src/ladder/sliced-run.ts";

const latency = { mean: 1, p50: 2, p95: 3, p99: 4, p999: 5 };
const fio = { ios: 7, iops: 10, bytesPerSecond: 160, seconds: 0.7, latency };

const slice = (way: 0 | 1, ios: number, foreign = 0): PlacedSlice => ({
  ...{ round: 0, way, seconds: 0.5, ios, calibration: 5000, foreign, steal: 0 },
  client: { user: 0.3, system: 0.1, threads: { main: 0.4 } },
  osds: { user: 0.2, system: 0, threads: { osd: 0.2 } },
});

test("a run is the sum of its slices, with fio's latency", () => {
  const run = runOf([slice(0, 100), slice(1, 300)], fio);
  assert.deepEqual([run.seconds, run.ios, run.iops, run.bytesPerSecond], [1, 400, 400, 6400]);
  assert.deepEqual(run.cpu.client, { user: 0.6, system: 0.2, threads: { main: 0.8 } });
  assert.equal(run.cpu.osds?.user, 0.4);
  assert.equal(run.latency, latency);
  assert.deepEqual(run.slices?.ios, [100, 300]);
});

test("of a slice that was made again the quieter one counts; both are kept", () => {
  const run = runOf([slice(0, 10, 0.6), slice(0, 100, 0.1), slice(1, 100)], fio);
  assert.equal(run.ios, 200);
  assert.deepEqual(run.slices?.foreign, [0.6, 0.1, 0]);
});

test("a slice with slowed-down processors counts only where there is no other; what the host shows is kept if it always did", () => {
  const hot = { mhz: 1200, celsius: 95, throttled: 2 };
  const run = runOf(
    [
      { ...slice(0, 10), ...hot },
      { ...slice(0, 100, 0.3), ...hot, throttled: 0 },
      { ...slice(1, 100), ...hot, mhz: undefined },
    ],
    fio,
  );
  assert.equal(run.ios, 200);
  assert.deepEqual(run.slices?.throttled, [2, 0, 2]);
  assert.deepEqual(run.slices?.celsius, [95, 95, 95]);
  assert.equal(run.slices?.mhz, undefined);
});

test("OSDs that cannot be seen are missing, not idle", () => {
  const { osds: _, ...unseen } = slice(0, 100);
  const run = runOf([unseen], fio);
  assert.equal(run.cpu.osds, undefined);
  assert.equal(run.slices?.osds, undefined);
});
