import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { seededRandom } from "../../src/statistics/random.ts";
import { pairedRatio, verdictOf } from "../../src/statistics/verdict.ts";

const speed = fc.double({ min: 1, max: 1e6, noNaN: true });
const pairs = (length: number) =>
  fc.array(fc.record({ before: speed, after: speed }), { minLength: length, maxLength: 12 });

test("fewer than five pairs prove nothing, however clear they look", () => {
  assert.equal(verdictOf({ median: 3, low: 2.9, high: 3.1 }, 4), "too few repeats");
});

test("a difference counts only when the interval excludes 1", () => {
  assert.equal(verdictOf({ median: 1.2, low: 1.01, high: 1.3 }, 5), "faster");
  assert.equal(verdictOf({ median: 0.9, low: 0.8, high: 0.99 }, 5), "slower");
  assert.equal(verdictOf({ median: 1.2, low: 0.99, high: 1.3 }, 5), "no significant difference");
  assert.equal(verdictOf({ median: 1, low: 1, high: 1 }, 5), "no significant difference");
});

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
      const verdicts = [all, swapped].map((some) => verdictOf(pairedRatio(some), some.length));
      assert.ok(verdicts[0] !== verdicts[1] || verdicts[0] === "no significant difference");
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
  assert.equal(verdictOf(ratio, all.length), "faster");
});
