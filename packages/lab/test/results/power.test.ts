import assert from "node:assert/strict";
import { test } from "node:test";
import { LabError } from "../../src/errors.ts";
import { powerOf } from "../../src/results/power.ts";
import { bluntRungs, reachOf } from "../../src/results/sharpness.ts";
import { exampleResults } from "../fixtures/results.ts";

test("an interval reaches as far up as down on the scale of ratios", () => {
  assert.ok(Math.abs(reachOf({ low: 2 / 1.1, high: 2 * 1.1 }) - 0.1) < 1e-9);
});

test("more blocks take longer and make verdicts sharper; the first that is enough is named", () => {
  const { prospects, enough } = powerOf(exampleResults({ repeats: 5 }), 0.2);
  assert.equal(prospects[0].blocks, 3);
  for (const [index, later] of prospects.slice(1).entries()) {
    assert.ok(later.seconds > prospects[index].seconds);
    assert.ok(later.iops.worst < prospects[index].iops.worst);
    assert.ok(later.cpuPerIo.middle <= later.cpuPerIo.worst);
  }
  assert.ok(enough && Math.max(enough.iops.worst, enough.cpuPerIo.worst) <= 0.2);
  const before = prospects[prospects.indexOf(enough) - 1];
  assert.ok(!before || Math.max(before.iops.worst, before.cpuPerIo.worst) > 0.2);
});

test("a run with two repeats does not say how much they differ", () => {
  assert.throws(
    () => powerOf(exampleResults({ repeats: 2 })),
    (error) => error instanceof LabError && error.code === "SIPHON_USAGE" && /too few/.test(error.message),
  );
});

test("where there are too few blocks for intervals, nothing is sharp", () => {
  const results = exampleResults({ repeats: 2 });
  const compared = results.rungs.filter((rung) => rung.status === "measured" && rung.comparison);
  const blunt = bluntRungs(results, 1);
  for (const { name } of compared) assert.ok(blunt.has(name), name);
});
