import assert from "node:assert/strict";
import { test } from "node:test";
import { LatencyHistogram } from "../../src/server/latency-histogram.ts";

test("quantiles are right to a fifth, from microseconds to a minute", () => {
  const histogram = new LatencyHistogram();
  for (let i = 1; i <= 1000; i++) histogram.add(i / 10);
  for (const part of [0.01, 0.5, 0.99, 1]) {
    const exact = part / 10;
    const told = histogram.quantile(part);
    assert.ok(told >= exact && told <= exact * 1.2, `${told} for ${exact}`);
  }
  assert.equal(histogram.count, 1000);
  assert.ok(Math.abs(histogram.sum - 50.05) < 1e-6);
});

test("what lies outside of the range is counted at its ends", () => {
  const histogram = new LatencyHistogram();
  histogram.add(0);
  histogram.add(1e9);
  assert.equal(histogram.quantile(0.5), 2 ** 0.25 / 1e6);
  assert.equal(histogram.quantile(1), 2 ** 26 / 1e6);
  assert.equal([...histogram.cumulative()].at(-1)![1], 2);
});

test("counts up to a bound never fall, and the last is all", () => {
  const histogram = new LatencyHistogram();
  for (const milliseconds of [0.02, 0.5, 0.5, 3, 700]) histogram.add(milliseconds);
  const counts = [...histogram.cumulative()];
  assert.ok(
    counts.every(([bound, count], i) => i === 0 || (bound > counts[i - 1]![0] && count >= counts[i - 1]![1])),
  );
  assert.equal(counts.find(([bound]) => bound >= 0.001)![1], 3);
  assert.equal(counts.at(-1)![1], 5);
});

test("a difference holds what was added in between", () => {
  const histogram = new LatencyHistogram();
  histogram.add(1);
  const before = new LatencyHistogram();
  before.include(histogram);
  histogram.add(100);
  const difference = histogram.since(before);
  assert.equal(difference.count, 1);
  assert.ok(difference.quantile(0.5) >= 0.1);
});
