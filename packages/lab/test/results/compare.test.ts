import assert from "node:assert/strict";
import { test } from "node:test";
import { compare, compareAll } from "../../src/results/compare.ts";
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
  const few = compare(ide, { runs: measured(results, "multiqueue").runs.slice(0, 2) });
  assert.equal(few?.verdict, "too few repeats");
  assert.equal(few?.costs?.cpuPerIo?.verdict, "too few repeats");
  const none = compare({ name: "ide", runs: ide.runs.slice(0, 2) }, { runs: ide.runs.slice(2) });
  assert.equal(none, undefined);
});

test("a repeat in which the other rung did nothing has no ratio", () => {
  const { runs } = measured(results, "ide");
  const stuck = runs.map((run, index) => (index === 0 ? { ...run, iops: 0 } : run));
  assert.deepEqual(compare({ name: "stuck", runs: stuck }, { runs })?.ratio, { median: 1, low: 1, high: 1 });
});

test("CPU per I/O and latency have a verdict each, and less of them is better", () => {
  const { costs } = compare(measured(results, "ide"), measured(results, "virtio-blk"))!;
  assert.equal(costs?.cpuPerIo?.verdict, "better");
  assert.ok(Math.abs(costs!.cpuPerIo!.ratio.median - 154 / 540) < 0.02);
  for (const name of ["latencyP50", "latencyP99", "latencyP999"] as const) {
    assert.ok(costs?.[name]?.ratio && costs[name].verdict !== "too few repeats", name);
  }
});

test("a verdict among many comparisons needs more than one alone", () => {
  const ide = measured(results, "ide");
  // Each repeat is a few percent faster, by its own amount.
  const runs = ide.runs.map((run, index) => ({ ...run, iops: run.iops * (1.02 + 0.02 * index) }));
  const one = { against: ide, rung: { runs } };
  assert.equal(compare(ide, { runs })?.verdict, "faster");
  const same = Array.from({ length: 40 }, () => ({ against: ide, rung: ide }));
  const [first, ...others] = compareAll([one, ...same]);
  assert.equal(first?.verdict, "no significant difference");
  assert.ok(first!.probability! > compare(ide, { runs })!.probability!);
  assert.ok(others.every((other) => other?.verdict === "no significant difference"));
});

test("slices decide where there are some: what drifts from one to the next cancels", () => {
  const sliced = (factor: number, place: number) =>
    measured(results, "ide").runs.map((run) => {
      const at = [0, 1, 2, 3, 4, 5, 6, 7];
      // The way back visits the other first; the machine grows slower all the time.
      const time = at.map((index) => 4 * Math.floor(index / 2) + (index % 2 === 0 ? place : 3 - place));
      const slices = {
        round: at.map((index) => Math.floor(index / 2)),
        way: at.map((index) => index % 2),
        seconds: at.map(() => 0.3),
        ios: time.map((moment) => Math.round(1e6 * factor * (1 - 0.02 * moment))),
        cpu: at.map(() => 1),
        calibration: at.map(() => 1000),
        foreign: at.map(() => 0),
        steal: at.map(() => 0),
      };
      return { ...run, iops: 1, slices };
    });
  const comparison = compare({ name: "a", runs: sliced(1, 0) }, { runs: sliced(1.05, 1) });
  assert.ok(Math.abs(comparison!.ratio.median - 1.05) < 0.003, `${comparison!.ratio.median}`);
});
