import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { pairedRatio } from "../../src/statistics/paired.ts";
import { seededRandom } from "../../src/statistics/random.ts";

const speed = fc.double({ min: 1, max: 1e6, noNaN: true });
const pairs = (length: number) =>
  fc.array(fc.record({ before: speed, after: speed }), { minLength: length, maxLength: 12 });

test("a rung against itself is neither faster nor slower", () => {
  fc.assert(
    fc.property(fc.array(speed, { minLength: 5, maxLength: 12 }), (speeds) => {
      const ratio = pairedRatio(speeds.map((value) => ({ before: value, after: value })));
      assert.deepEqual(ratio, { median: 1, low: 1, high: 1 });
    }),
    { numRuns: 30 },
  );
});

test("of two rungs at most one is faster than the other", () => {
  fc.assert(
    fc.property(pairs(5), (all) => {
      const swapped = all.map(({ before, after }) => ({ before: after, after: before }));
      assert.ok(!(pairedRatio(all).low > 1 && pairedRatio(swapped).low > 1));
    }),
    { numRuns: 50 },
  );
});

test("what slows a whole repeat down does not touch the paired ratio", () => {
  const random = seededRandom(3);
  const all = Array.from({ length: 7 }, () => {
    const weather = 0.5 + random();
    return { before: 10_000 * weather, after: 11_000 * weather };
  });
  const ratio = pairedRatio(all);
  assert.ok(ratio.low > 1.099 && ratio.high < 1.101);
});
