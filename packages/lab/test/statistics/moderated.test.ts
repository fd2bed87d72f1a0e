import assert from "node:assert/strict";
import { test } from "node:test";
import { digamma, inverseTrigamma, moderate, trigamma } from "../../src/statistics/moderated.ts";

test("digamma and trigamma have their known values", () => {
  assert.ok(Math.abs(digamma(1) + 0.5772156649) < 1e-8);
  assert.ok(Math.abs(digamma(0.5) + 1.963510026) < 1e-8);
  assert.ok(Math.abs(trigamma(1) - Math.PI ** 2 / 6) < 1e-8);
  for (const x of [0.3, 1, 2.5, 40]) assert.ok(Math.abs(inverseTrigamma(trigamma(x)) / x - 1) < 1e-6);
});

test("variances that are alike become one, known from all values", () => {
  const alike = [0.9, 1, 1.1, 1, 0.95, 1.05].map((variance) => ({ variance, degrees: 4 }));
  for (const { variance, degrees } of moderate(alike)) {
    assert.ok(variance > 0.9 && variance < 1.4, `${variance}`);
    assert.equal(degrees, 24);
  }
});

test("variances that differ stay apart, and borrow little", () => {
  const apart = [1e-6, 1e-4, 1e-2, 1, 1e2, 1e4].map((variance) => ({ variance, degrees: 4 }));
  const found = moderate(apart);
  for (const [index, { variance, degrees }] of found.entries()) {
    assert.ok(degrees < 6);
    assert.ok(variance / apart[index].variance < 30);
  }
});

test("one or two variances stand for themselves", () => {
  const two = [
    { variance: 1, degrees: 2 },
    { variance: 9, degrees: 2 },
  ];
  assert.deepEqual(moderate(two), two);
  assert.deepEqual(moderate([]), []);
});
