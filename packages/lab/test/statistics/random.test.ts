import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../src/statistics/random.ts";

test("the same seed gives the same numbers, another seed others", () => {
  const draw = (seed: number) => Array.from({ length: 20 }, seededRandom(seed));
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
});

test("the numbers fill [0, 1) evenly", () => {
  const random = seededRandom(1);
  const bins = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) bins[Math.floor(random() * 10)]!++;
  assert.equal(bins.length, 10);
  for (const count of bins) assert.ok(Math.abs(count - 10_000) < 400, `${bins}`);
});
