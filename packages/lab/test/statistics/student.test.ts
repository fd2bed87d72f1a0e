import assert from "node:assert/strict";
import { test } from "node:test";
import { incompleteBeta, logGamma, reach95, twoSided } from "../../src/statistics/student.ts";

const near = (value: number, known: number, share = 1e-4) =>
  assert.ok(Math.abs(value / known - 1) < share, `${value} and not ${known}`);

test("95 % intervals agree with tables of Student's t-distribution", () => {
  const known = { 1: 12.7062, 2: 4.30265, 4: 2.77645, 10: 2.22814, 30: 2.04227, 120: 1.97993, 1e9: 1.95996 };
  for (const [degrees, reach] of Object.entries(known)) near(reach95(Number(degrees)), reach);
});

test("probabilities are those of the tables, in the middle and far out", () => {
  near(twoSided(2.77645, 4), 0.05);
  near(twoSided(-4.60409, 4), 0.01);
  near(twoSided(3.29053, 1e9), 0.001, 1e-3);
  assert.equal(twoSided(0, 7), 1);
});

test("the functions behind them have their known values", () => {
  near(logGamma(0.5), Math.log(Math.PI) / 2, 1e-9);
  near(logGamma(11), Math.log(3_628_800), 1e-12);
  near(incompleteBeta(0.3, 1, 1), 0.3, 1e-12);
  near(incompleteBeta(0.2, 2, 3), 0.1808, 1e-9);
  near(incompleteBeta(0.5, 40, 40), 0.5, 1e-9);
});
