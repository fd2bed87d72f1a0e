import assert from "node:assert/strict";
import { test } from "node:test";
import { workloadInWords } from "../../../src/report/sections/ladder.ts";
import { repeatCommand } from "../../../src/report/sections/setup.ts";
import { exampleResults } from "../../fixtures/results.ts";

test("the command that climbs a ladder again names the roots that its programs came from", () => {
  const command = repeatCommand({ ...exampleResults(), roots: { ceph: "reef", qemu: undefined } });
  assert.match(command, /--mode cumulative/);
  assert.match(command, /--ceph reef/);
  assert.doesNotMatch(command, /undefined|--qemu/);
});

test("a ladder of releases is climbed again by its releases, and says what its rungs are", () => {
  const results = { ...exampleResults(), mode: "releases", roots: { releases: "pacific,reef" } } as const;
  const command = repeatCommand(results);
  assert.match(command, /^npm run ladder -- \\\n {2}--releases pacific,reef/);
  assert.doesNotMatch(command, /--rungs|--mode/);
  assert.match(workloadInWords(results), /^Each rung is a release of librbd, in the same QEMU/);
});
