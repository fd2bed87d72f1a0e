import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../src/statistics/random.ts";
import { unpairedRatio } from "../../src/statistics/unpaired.ts";

test("the ratio is that of the medians, and its interval holds it", () => {
  const ratio = unpairedRatio([90, 100, 110, 95, 105], [180, 200, 220, 190, 210]);
  assert.equal(ratio.median, 2);
  assert.ok(ratio.low < 2 && ratio.high > 2);
});

test("groups of different sizes can be compared, in any order of their values", () => {
  const sorted = unpairedRatio([1, 2, 3], [2, 4, 6, 8]);
  assert.deepEqual(unpairedRatio([3, 1, 2], [8, 2, 6, 4]), sorted);
});

test("values that all agree leave no room for doubt", () => {
  assert.deepEqual(unpairedRatio([4, 4, 4], [6, 6, 6]), { median: 1.5, low: 1.5, high: 1.5 });
});

test("an empty group has no median", () => {
  assert.throws(() => unpairedRatio([], [1]), RangeError);
  assert.throws(() => unpairedRatio([1], []), RangeError);
});

test("with five values a side, the interval holds the true ratio in about nine cases of ten or more", () => {
  const random = seededRandom(7);
  const draw = (center: number) => Array.from({ length: 5 }, () => center * (0.8 + 0.4 * random()));
  const trials = 300;
  let held = 0;
  for (let trial = 0; trial < trials; trial++) {
    const { low, high } = unpairedRatio(draw(100), draw(150), { resamples: 400, seed: trial });
    if (low <= 1.5 && 1.5 <= high) held++;
  }
  assert.ok(held / trials >= 0.88, `${held} of ${trials}`);
});
