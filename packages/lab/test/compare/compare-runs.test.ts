import assert from "node:assert/strict";
import { test } from "node:test";
import { type ComparedRung, compareRuns } from "../../src/compare/compare-runs.ts";
import { exampleResults } from "../fixtures/results.ts";
import { slowed } from "./fixtures.ts";

test("a rung that lost speed is worse, with its ratio; the others are told no difference", () => {
  const before = exampleResults({ seed: 1 });
  const after = slowed(exampleResults({ seed: 2 }), "iothread", 0.5);
  const { rungs } = compareRuns([
    { label: "before", results: before },
    { label: "after", results: after },
  ]);
  const { iops, latencyP99, cpuPerIo } = changesOf(rungs, "iothread");
  assert.equal(iops.verdict, "worse");
  assert.ok(iops.ratio.median > 0.4 && iops.ratio.median < 0.6);
  assert.equal(latencyP99.verdict, "worse", "twice the latency");
  assert.ok(latencyP99.ratio.median > 1.6);
  assert.equal(cpuPerIo.verdict, "no significant difference");
  assert.equal(changesOf(rungs, "cache-none").iops.verdict, "no significant difference");
});

test("less latency and less CPU are better", () => {
  const before = slowed(exampleResults({ seed: 1 }), "virtio-blk", 0.4);
  const { rungs } = compareRuns([
    { label: "before", results: before },
    { label: "after", results: exampleResults({ seed: 2 }) },
  ]);
  const changes = changesOf(rungs, "virtio-blk");
  assert.equal(changes.iops.verdict, "better");
  assert.equal(changes.latencyP99.verdict, "better");
});

test("few repeats decide nothing", () => {
  const after = slowed(exampleResults({ repeats: 2, seed: 2 }), "ide", 0.1);
  const { rungs } = compareRuns([
    { label: "a", results: exampleResults({ repeats: 2 }) },
    { label: "b", results: after },
  ]);
  assert.equal(changesOf(rungs, "ide").iops.verdict, "too few repeats");
});

test("what a run did not measure is said, and compared with nothing", () => {
  const partial = exampleResults({ seed: 2 });
  partial.rungs = partial.rungs.filter(({ name }) => name !== "ide");
  const { rungs } = compareRuns([
    { label: "whole", results: exampleResults() },
    { label: "partial", results: partial },
  ]);
  const ide = rungs.find(({ name }) => name === "ide")!;
  assert.equal(ide.cells[1].status, "absent");
  assert.deepEqual(ide.changes, [null]);
  const failed = rungs.find(({ name }) => name === "jemalloc")!;
  assert.equal(failed.cells[0].status, "failed");
});

test("each of several runs is held against the first", () => {
  const first = exampleResults({ seed: 1 });
  const { runs, rungs } = compareRuns([
    { label: "first", results: first },
    { label: "same", results: first },
    { label: "slow", results: slowed(first, "q35", 0.5) },
  ]);
  assert.deepEqual(
    runs.map(({ label }) => label),
    ["first", "same", "slow"],
  );
  const q35 = rungs.find(({ name }) => name === "q35")!;
  assert.equal(q35.changes[0]?.iops.ratio.median, 1);
  assert.equal(q35.changes[1]?.iops.verdict, "worse");
});

function changesOf(rungs: readonly ComparedRung[], name: string) {
  const changes = rungs.find((rung) => rung.name === name)?.changes[0];
  assert.ok(changes, `${name} was not compared`);
  return changes;
}
