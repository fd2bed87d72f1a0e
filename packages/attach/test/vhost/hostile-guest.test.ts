import assert from "node:assert/strict";
import { test } from "node:test";
import { hostileRun } from "../support/hostile-run.ts";

test("a guest that sends nonsense breaks its own disk at most, and no other", {
  timeout: 300_000,
}, async () => {
  const { faults, refusals, disconnects } = await hostileRun(3000, 1);
  assert.ok(faults > 500 && refusals > 10 && disconnects > 10, "the attacks went nowhere");
});
