import assert from "node:assert/strict";
import { test } from "node:test";
import { LadderRecord } from "../../src/ladder/record.ts";
import { planRungs } from "../../src/rungs/plan.ts";
import { run } from "../baseline/fixtures.ts";
import { exampleResults } from "../fixtures/results.ts";

function record(): LadderRecord {
  const plan = planRungs("cumulative", { qemuMajor: 7, cpus: 2 }, ["ide", "virtio-blk", "tcmalloc"]);
  return new LadderRecord(exampleResults(), plan);
}

const rungsOf = ({ rungs }: ReturnType<LadderRecord["results"]>) =>
  rungs.map((rung) => [rung.name, rung.status, rung.status === "measured" ? rung.runs.length : 0]);

test("what a run shows so far is in the results so far alone, until it is complete", () => {
  const made = record();
  made.goesOn("ide", run(0, 100));
  assert.deepEqual(rungsOf(made.resultsSoFar()), [
    ["ide", "measured", 1],
    ["tcmalloc", "skipped", 0],
  ]);
  assert.deepEqual(rungsOf(made.results(false)), [
    ["ide", "failed", 0],
    ["virtio-blk", "failed", 0],
    ["tcmalloc", "skipped", 0],
  ]);
  made.add("ide", run(0, 120));
  made.goesOn("virtio-blk", run(0, 300));
  assert.deepEqual(rungsOf(made.resultsSoFar()).slice(0, 2), [
    ["ide", "measured", 1],
    ["virtio-blk", "measured", 1],
  ]);
});

test("a rung that fails during the run shows its reason, not its partial results", () => {
  const made = record();
  made.goesOn("virtio-blk", run(0, 300));
  made.fail("virtio-blk", "QEMU ended");
  const [rung] = made.resultsSoFar().rungs;
  assert.deepEqual([rung?.name, rung?.status === "failed" && rung.reason], ["virtio-blk", "QEMU ended"]);
});
