import assert from "node:assert/strict";
import { test } from "node:test";
import { RestartDelay } from "../../src/shards/restart-delay.ts";

test("a process that ends again and again waits longer each time, up to a bound", () => {
  const delay = new RestartDelay();
  const delays = Array.from({ length: 12 }, () => delay.after(10));
  assert.deepEqual(delays.slice(0, 5), [100, 200, 400, 800, 1600]);
  assert.deepEqual(delays.slice(-3), [15_000, 15_000, 15_000]);
});

test("one that served for a while starts at once again, one that never did does not", () => {
  const delay = new RestartDelay();
  for (let i = 0; i < 5; i++) delay.after(0);
  assert.equal(delay.after(Number.NEGATIVE_INFINITY), 3200);
  assert.equal(delay.after(61_000), 100);
});
