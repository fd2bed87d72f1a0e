import assert from "node:assert/strict";
import { test } from "node:test";
import { noiseWarning, quietInWords } from "../../src/report/quiet-words.ts";
import { quietOf } from "../../src/results/quiet.ts";
import { exampleResults } from "../fixtures/results.ts";

test("slices that others disturbed are counted, and those that were made again", () => {
  const results = exampleResults({ sliced: true });
  const runs = results.rungs.flatMap((rung) => (rung.status === "measured" ? rung.runs : []));
  const quiet = quietOf(results)!;
  assert.deepEqual(
    [quiet.slices, quiet.again, quiet.disturbed, quiet.foreign],
    [runs.length * 5, runs.length, 0, { middle: 0.02, most: 0.4 }],
  );
  assert.ok(
    quiet.speed.slow < 0 && quiet.speed.slow > -0.02 && quiet.speed.fast > 0 && quiet.speed.fast < 0.02,
  );
  assert.match(quietInWords(quiet).join(" "), new RegExp(`${runs.length} were made again`));
  assert.equal(noiseWarning(quiet), undefined);
});

test("a busy machine is told first", () => {
  const results = exampleResults({ sliced: true });
  for (const rung of results.rungs) {
    if (rung.status === "measured") for (const { slices } of rung.runs) slices!.steal.fill(0.2);
  }
  const quiet = quietOf(results)!;
  assert.equal(quiet.disturbed, quiet.slices - quiet.again);
  assert.match(noiseWarning(quiet)!, /busy: during 100/);
});

test("of runs that were made at one go nothing is said", () => {
  assert.equal(quietOf(exampleResults()), undefined);
});
