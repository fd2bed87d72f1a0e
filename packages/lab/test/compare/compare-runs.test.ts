import assert from "node:assert/strict";
import { test } from "node:test";
import { ladderRun } from "../../src/compare/comparable.ts";
import { type ComparedRow, compareRuns } from "../../src/compare/compare-runs.ts";
import { comparisonSentences } from "../../src/compare/findings.ts";
import { exampleResults } from "../fixtures/results.ts";
import { slowed } from "./fixtures.ts";

test("a rung that lost speed is worse, with its ratio; the others are told no difference", () => {
  const before = exampleResults({ seed: 1 });
  const after = slowed(exampleResults({ seed: 2 }), "iothread", 0.5);
  const { rows } = compareRuns([ladderRun("before", before), ladderRun("after", after)]);
  const { iops, latencyP99, cpuPerIo } = changesOf(rows, "iothread");
  assert.equal(iops.verdict, "worse");
  assert.ok(iops.ratio.median > 0.4 && iops.ratio.median < 0.6);
  assert.equal(latencyP99.verdict, "worse", "twice the latency");
  assert.ok(latencyP99.ratio.median > 1.6);
  assert.equal(cpuPerIo.verdict, "no significant difference");
  assert.equal(changesOf(rows, "cache-none").iops.verdict, "no significant difference");
});

test("less latency and less CPU are better", () => {
  const before = slowed(exampleResults({ seed: 1 }), "virtio-blk", 0.4);
  const { rows } = compareRuns([
    ladderRun("before", before),
    ladderRun("after", exampleResults({ seed: 2 })),
  ]);
  const changes = changesOf(rows, "virtio-blk");
  assert.equal(changes.iops.verdict, "better");
  assert.equal(changes.latencyP99.verdict, "better");
});

test("few repeats decide nothing", () => {
  const after = slowed(exampleResults({ repeats: 2, seed: 2 }), "ide", 0.1);
  const { rows } = compareRuns([ladderRun("a", exampleResults({ repeats: 2 })), ladderRun("b", after)]);
  assert.equal(changesOf(rows, "ide").iops.verdict, "too few repeats");
});

test("what a run did not measure is said, and compared with nothing", () => {
  const partial = exampleResults({ seed: 2 });
  partial.rungs = partial.rungs.filter(({ name }) => name !== "ide");
  const { rows } = compareRuns([ladderRun("whole", exampleResults()), ladderRun("partial", partial)]);
  const ide = rows.find(({ name }) => name === "ide")!;
  assert.equal(ide.cells[1].status, "absent");
  assert.deepEqual(ide.changes, [null]);
  const failed = rows.find(({ name }) => name === "jemalloc")!;
  assert.equal(failed.cells[0].status, "failed");
});

test("each of several runs is held against the first", () => {
  const first = exampleResults({ seed: 1 });
  const { runs, rows } = compareRuns([
    ladderRun("first", first),
    ladderRun("same", first),
    ladderRun("slow", slowed(first, "q35", 0.5)),
  ]);
  assert.deepEqual(
    runs.map(({ label }) => label),
    ["first", "same", "slow"],
  );
  const q35 = rows.find(({ name }) => name === "q35")!;
  assert.equal(q35.changes[0]?.iops.ratio.median, 1);
  assert.equal(q35.changes[1]?.iops.verdict, "worse");
});

test("a baseline is compared cell by cell, and not with a ladder", () => {
  const ladder = ladderRun("ladder", exampleResults());
  const baseline = { ...ladder, kind: "baseline" as const, label: "baseline" };
  assert.equal(compareRuns([baseline, baseline]).kind, "baseline");
  assert.throws(() => compareRuns([ladder, baseline]), {
    code: "SIPHON_USAGE",
    message: "ladder is a run of siphon ladder, and baseline of siphon baseline: they cannot be compared",
  });
});

function changesOf(rows: readonly ComparedRow[], name: string) {
  const changes = rows.find((rung) => rung.name === name)?.changes[0];
  assert.ok(changes, `${name} was not compared`);
  return changes;
}

test("points of response curves are rows as well, and the sentence speaks of rungs alone", () => {
  const [before, after] = [1, 2].map((seed) => exampleResults({ seed, curves: true }));
  const comparison = compareRuns([ladderRun("before", before!), ladderRun("after", after!)]);
  const points = comparison.rows.filter(({ point }) => point);
  const measured = before!.rungs.filter(({ status }) => status === "measured").length;
  assert.equal(points.length, measured * 10);
  assert.ok(points.every(({ changes }) => changes[0]!.iops.ratio.median > 0.5));
  assert.equal(
    changesOf(comparison.rows, "q35, 70/30 at depth 16").iops.verdict,
    "no significant difference",
  );
  assert.match(comparisonSentences(comparison)[0]!, new RegExp(`of ${measured} rungs`));
});

test("a run without curves can be held against one with them", () => {
  const plain = ladderRun("before", exampleResults());
  const { rows } = compareRuns([plain, ladderRun("after", exampleResults({ curves: true }))]);
  const [point] = rows.filter(({ point }) => point);
  assert.deepEqual([point!.cells[0]!.status, point!.changes], ["absent", [null]]);
});
