import assert from "node:assert/strict";
import { test } from "node:test";
import { ladderRun } from "../../src/compare/comparable.ts";
import { compareRuns } from "../../src/compare/compare-runs.ts";
import { comparisonHeadline, comparisonWarnings } from "../../src/compare/findings.ts";
import type { Results } from "../../src/results/schema.ts";
import { exampleResults } from "../fixtures/results.ts";
import { slowed } from "./fixtures.ts";

const results = exampleResults();

test("the headline counts what each run won and lost", () => {
  const before = example();
  const after = slowed(slowed(before, "iothread", 0.5), "q35", 3);
  const comparison = compareRuns([ladderRun("runs/a", before), ladderRun("runs/b", after)]);
  assert.match(
    comparisonHeadline(comparison),
    /^runs\/b against runs\/a: of 10 rungs 1 faster, 1 slower and 8 not told apart\.$/,
  );
  assert.deepEqual(comparisonWarnings(comparison), []);
});

test("runs without a common rung say so", () => {
  const after = example();
  after.rungs = [];
  const comparison = compareRuns([ladderRun("a", example()), ladderRun("b", after)]);
  assert.equal(comparisonHeadline(comparison), "b has no rung in common with a.");
});

test("other work, another machine and an incomplete run are warned of", () => {
  const after = exampleResults({ complete: false, accelerator: "kvm" });
  after.workload = { ...after.workload, rw: "randwrite" };
  const comparison = compareRuns([ladderRun("a", example()), ladderRun("b", after)]);
  const [work, settings, complete] = comparisonWarnings(comparison);
  assert.match(work, /did different work/);
  assert.match(settings, /differ in accelerator/);
  assert.equal(complete, "b was cut short.");
});

/** Results to be changed at will. */
function example(): Results {
  return structuredClone(results);
}
