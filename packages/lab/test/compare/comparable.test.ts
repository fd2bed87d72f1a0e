import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { writeBaselineResults } from "../../src/baseline/file.ts";
import { baselineRun, readComparable } from "../../src/compare/comparable.ts";
import { compareRuns } from "../../src/compare/compare-runs.ts";
import { comparisonHeadline } from "../../src/compare/findings.ts";
import { writeResults } from "../../src/results/file.ts";
import { exampleBaseline } from "../baseline/fixtures.ts";
import { exampleResults } from "../fixtures/results.ts";

const directory = await mkdtemp(join(tmpdir(), "siphon-comparable-"));
after(() => rm(directory, { recursive: true, force: true }));

test("runs of the ladder and of a baseline are read by their paths, which name them", async () => {
  const [ladder, baseline] = [join(directory, "ladder"), join(directory, "baseline")];
  await writeResults(ladder, exampleResults({ repeats: 1 }));
  await writeBaselineResults(baseline, exampleBaseline());
  const runs = [await readComparable(ladder), await readComparable(baseline)];
  assert.deepEqual(
    runs.map(({ kind, label }) => ({ kind, label })),
    [
      { kind: "ladder", label: ladder },
      { kind: "baseline", label: baseline },
    ],
  );
  await assert.rejects(readComparable(join(directory, "none")), { code: "SIPHON_NOT_FOUND" });
});

test("baselines are compared cell by cell, with what differs in their clusters", () => {
  const before = exampleBaseline();
  const later = exampleBaseline();
  later.clusters = later.clusters.map((cluster) => ({
    ...cluster,
    facts: [...cluster.facts, { name: "OSD memory target", value: "4G" }],
  }));
  const comparison = compareRuns([baselineRun("before", before), baselineRun("after", later)]);
  const measured = before.cells.filter(({ status }) => status === "measured").length;
  assert.equal(
    comparisonHeadline(comparison),
    `after against before: of ${measured} cells ${measured} not told apart.`,
  );
  assert.deepEqual(
    comparison.rows.map(({ name }) => name),
    before.cells.map(({ name }) => name),
  );
  assert.deepEqual(comparison.differences, [
    { group: "cluster", name: `${before.clusters[0].name}, OSD memory target`, values: [null, "4G"] },
  ]);
});
