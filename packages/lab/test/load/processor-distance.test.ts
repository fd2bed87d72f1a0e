import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ProcessorDistance } from "../../src/load/processor-distance.ts";

test("a word's way to another processor and back takes some time, where a second one is free", async (t) => {
  await using distance = await ProcessorDistance.start();
  if (availableParallelism() < 2) return assert.equal(distance, undefined);
  // On a busy machine the two threads rarely run at once.
  let took: number | undefined;
  while (took === undefined && !t.signal.aborted) {
    took = distance!.measure();
    await sleep(10);
  }
  assert.ok(took! > 0);
  const again = distance!.measure();
  assert.ok(again === undefined || again > 0);
});
