import assert from "node:assert/strict";
import { test } from "node:test";
import { ProgressMeter } from "../../src/transfer/progress.ts";

test("the rate is that of the last seconds, and the time left follows from it", () => {
  let now = 1000;
  const meter = new ProgressMeter(() => now);
  assert.deepEqual(meter.update(0, 1000), {
    done: 0,
    total: 1000,
    bytesPerSecond: undefined,
    secondsLeft: undefined,
  });
  now += 1000;
  assert.deepEqual(meter.update(100, 1000), { done: 100, total: 1000, bytesPerSecond: 100, secondsLeft: 9 });
  for (let n = 0; n < 60; n++) {
    now += 100;
    meter.update(100 + n, 1000);
  }
  const { bytesPerSecond } = meter.update(160, 1000);
  assert.ok(bytesPerSecond! > 9 && bytesPerSecond! < 13, `${bytesPerSecond}`);
});
