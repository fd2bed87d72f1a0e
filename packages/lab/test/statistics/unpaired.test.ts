import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../src/statistics/random.ts";
import { unpairedRatios } from "../../src/statistics/unpaired.ts";

test("the ratio is that of the geometric means, and its interval holds it", () => {
  const [ratio] = unpairedRatios([{ before: [90, 100, 110, 95, 105], after: [180, 200, 220, 190, 210] }]);
  assert.ok(Math.abs(ratio.median - 2) < 1e-9);
  assert.ok(ratio.low < 2 && ratio.high > 2);
});

test("groups of different sizes can be compared, in any order of their values", () => {
  const [sorted] = unpairedRatios([{ before: [1, 2, 3], after: [2, 4, 6, 8] }]);
  const [mixed] = unpairedRatios([{ before: [3, 1, 2], after: [8, 2, 6, 4] }]);
  for (const name of ["median", "low", "high"] as const) {
    assert.ok(Math.abs(sorted[name] - mixed[name]) < 1e-9);
  }
});

test("values that all agree leave no room for doubt", () => {
  const [{ median, low, high }] = unpairedRatios([{ before: [4, 4, 4], after: [6, 6, 6] }]);
  for (const value of [median, low, high]) assert.ok(Math.abs(value - 1.5) < 1e-9);
});

test("two values a side give their range, none nothing", () => {
  const [ratio] = unpairedRatios([{ before: [10, 20], after: [30, 40] }]);
  assert.deepEqual(ratio, { median: 35 / 15, low: 1.5, high: 4 });
  assert.throws(() => unpairedRatios([{ before: [], after: [1] }]), RangeError);
  assert.throws(() => unpairedRatios([{ before: [1], after: [] }]), RangeError);
});

for (const rows of [1, 15]) {
  test(`with four values a side, intervals of ${rows} rows hold the true ratio in 19 cases of 20`, () => {
    const random = seededRandom(7);
    const draw = (center: number) => Array.from({ length: 4 }, () => center * (0.8 + 0.4 * random()));
    const trials = 600 / rows;
    const all = Array.from({ length: trials }, () =>
      unpairedRatios(Array.from({ length: rows }, () => ({ before: draw(100), after: draw(150) }))),
    ).flat();
    const held = all.filter(({ low, high }) => low <= 1.5 && 1.5 <= high).length / all.length;
    assert.ok(held >= 0.93 && held <= 0.97, `${held}`);
  });
}
