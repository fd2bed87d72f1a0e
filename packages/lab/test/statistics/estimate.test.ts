import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { estimateMedian } from "../../src/statistics/estimate.ts";
import { seededRandom } from "../../src/statistics/random.ts";

const values = fc.array(fc.double({ min: 1e-3, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 12 });
const options = { resamples: 2000 };

test("the interval holds the median and stays within the values", () => {
  fc.assert(
    fc.property(values, (sample) => {
      const { median, low, high } = estimateMedian(sample, options);
      assert.ok(low <= median && median <= high);
      assert.ok(low >= Math.min(...sample) && high <= Math.max(...sample));
    }),
    { numRuns: 50 },
  );
});

test("the order in which the repeats were made changes nothing", () => {
  fc.assert(
    fc.property(values, (sample) => {
      assert.deepEqual(estimateMedian(sample.toReversed(), options), estimateMedian(sample, options));
    }),
    { numRuns: 50 },
  );
});

test("figures in another unit give the same estimate in that unit", () => {
  fc.assert(
    fc.property(values, (sample) => {
      const plain = estimateMedian(sample, options);
      const scaled = estimateMedian(
        sample.map((value) => value * 1024),
        options,
      );
      for (const key of ["median", "low", "high"] as const) {
        assert.ok(Math.abs(scaled[key] / 1024 / plain[key] - 1) < 1e-9);
      }
    }),
    { numRuns: 50 },
  );
});

test("one value is its own interval, and no value is an error", () => {
  assert.deepEqual(estimateMedian([42]), { median: 42, low: 42, high: 42 });
  assert.throws(() => estimateMedian([]), RangeError);
});

test("with five repeats the interval is their range", () => {
  assert.deepEqual(estimateMedian([3, 1, 4, 1.5, 9]), { median: 3, low: 1, high: 9 });
});

for (const { repeats, least } of [
  { repeats: 5, least: 0.91 },
  { repeats: 11, least: 0.92 },
  { repeats: 25, least: 0.92 },
]) {
  test(`of ${repeats} skewed values the interval holds the true median about 95 times in 100`, () => {
    const random = seededRandom(repeats);
    const trials = 600;
    let held = 0;
    for (let trial = 0; trial < trials; trial++) {
      const { low, high } = estimateMedian(
        Array.from({ length: repeats }, () => logNormal(random)),
        {
          resamples: 1000,
          seed: trial,
        },
      );
      if (low <= trueMedian && trueMedian <= high) held++;
    }
    const coverage = held / trials;
    assert.ok(coverage >= least && coverage <= 0.985, `coverage ${coverage}`);
  });
}

const trueMedian = 10_000;

/** IOPS of a noisy machine: log-normal around 10,000 with a spread of about 25 %. */
function logNormal(random: () => number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return trueMedian * Math.exp(0.25 * normal);
}
