import assert from "node:assert/strict";
import { test } from "node:test";
import { compare } from "../../src/results/compare.ts";
import { exampleResults } from "../fixtures/results.ts";
import { measured } from "../fixtures/rungs.ts";

const results = exampleResults();

test("the change that a rung brings is seen through the drift of the machine", () => {
  const comparison = compare(measured(results, "ide"), measured(results, "virtio-blk"));
  assert.equal(comparison?.against, "ide");
  assert.equal(comparison?.verdict, "faster");
  assert.ok(Math.abs(comparison!.ratio.median - 4.45) < 0.2);
  assert.ok(comparison!.ratio.high - comparison!.ratio.low < 0.4);
});

test("only repeats that measured both rungs are compared", () => {
  const ide = measured(results, "ide");
  const comparison = compare(ide, measured(results, "multiqueue"));
  assert.equal(comparison?.verdict, "too few repeats");
  const none = compare({ name: "ide", runs: ide.runs.slice(0, 2) }, { runs: ide.runs.slice(2) });
  assert.equal(none, undefined);
});

test("a repeat in which the other rung did nothing has no ratio", () => {
  const { runs } = measured(results, "ide");
  const stuck = runs.map((run, index) => (index === 0 ? { ...run, iops: 0 } : run));
  assert.deepEqual(compare({ name: "stuck", runs: stuck }, { runs })?.ratio, { median: 1, low: 1, high: 1 });
});
