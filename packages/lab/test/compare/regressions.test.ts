import assert from "node:assert/strict";
import { test } from "node:test";
import { ladderRun } from "../../src/compare/comparable.ts";
import { compareRuns } from "../../src/compare/compare-runs.ts";
import { judge } from "../../src/compare/regressions.ts";
import type { Results } from "../../src/results/schema.ts";
import { exampleResults } from "../fixtures/results.ts";
import { slowed } from "./fixtures.ts";

const results = exampleResults();

test("a rung slower by more than the limit is a regression", () => {
  const { regressions } = judged(example(), slowed(exampleResults({ seed: 2 }), "iothread", 0.5), 10);
  assert.deepEqual(
    regressions.map(({ run, row }) => ({ run, row })),
    [{ run: "after", row: "+ iothread" }],
  );
  assert.match(regressions[0].what, /is slower: −\d+\s% IOPS/);
});

test("a loss that the interval does not prove to be beyond the limit is none", () => {
  const after = slowed(example(), "iothread", 0.95);
  assert.deepEqual(judged(example(), after, 20).regressions, []);
  const faster = slowed(example(), "iothread", 3);
  assert.deepEqual(judged(example(), faster, 0).regressions, []);
});

test("a rung that does not work any more is a regression", () => {
  const after = example();
  after.rungs = after.rungs.map((rung) => {
    const { name, title, why } = rung;
    return name === "q35" ? { name, title, why, status: "failed" as const, reason: "QEMU ended" } : rung;
  });
  const { regressions } = judged(example(), after, 10);
  assert.equal(regressions.length, 1);
  assert.match(regressions[0].what, /failed: QEMU ended/);
});

test("an undecided comparison is reported, and is not a regression", () => {
  const few = exampleResults({ repeats: 2, seed: 2 });
  few.rungs = few.rungs.filter(({ name }) => name !== "secure");
  const { regressions, undecided } = judged(example(), few, 10);
  assert.deepEqual(regressions, []);
  assert.ok(undecided.some(({ what }) => what.includes("too few repeats")));
  assert.ok(undecided.some(({ what }) => what.includes("was not measured")));
});

test("CPU per I/O and p99 are judged where a limit is given for them, and more of them is worse", () => {
  const after = example();
  for (const rung of after.rungs) {
    if (rung.status !== "measured" || rung.name !== "iothread") continue;
    for (const run of rung.runs) {
      run.cpu.client.user *= 2;
      run.cpu.client.system *= 2;
      run.latency.p99 *= 3;
    }
  }
  const runs = compareRuns([ladderRun("before", example()), ladderRun("after", after)]);
  assert.deepEqual(judge(runs, { iops: 10 }).regressions, []);
  const { regressions } = judge(runs, { iops: 10, cpuPerIo: 50, latencyP99: 50 });
  assert.deepEqual(
    regressions.map(({ what }) => what.split(":")[0]),
    ["“+ iothread” has more CPU per I/O", "“+ iothread” has more p99 latency"],
  );
  assert.deepEqual(judge(runs, { cpuPerIo: 150 }).regressions, []);
});

function judged(before: Results, after: Results, percent: number) {
  return judge(compareRuns([ladderRun("before", before), ladderRun("after", after)]), { iops: percent });
}

/** Results to be changed at will. */
function example(): Results {
  return structuredClone(results);
}
