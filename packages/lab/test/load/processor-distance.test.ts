import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ProcessorDistance } from "../../src/load/processor-distance.ts";

test("a word's way to another processor and back takes some time, where a second one is free", async (t) => {
  await using distance = await ProcessorDistance.start();
  if (availableParallelism() < 2) return assert.equal(distance, undefined);
  // On a busy machine the two threads rarely run at once.
  const seen: number[] = [];
  for (let times = 0; times < 2000 && seen.length < 3; times++) {
    const took = distance!.measure();
    if (took !== undefined) seen.push(took);
    await sleep(10);
  }
  if (seen.length === 0) t.skip("no second processor was free");
  // Nothing is faster than light: a word between two cores takes some nanoseconds.
  assert.ok(
    seen.every((took) => took > 1),
    `${seen}`,
  );
});
