import assert from "node:assert/strict";
import { test } from "node:test";
import { ladderRun } from "../../src/compare/comparable.ts";
import { differentWork, settingsThatDiffer } from "../../src/compare/differences.ts";
import type { Results } from "../../src/results/schema.ts";
import { exampleResults } from "../fixtures/results.ts";

const results = exampleResults();

test("runs alike but for their figures have no differences", () => {
  assert.deepEqual(differencesOf(exampleResults({ seed: 1 }), exampleResults({ seed: 2 })), []);
});

test("settings that differ, or are there in one run only, are named with their values", () => {
  const before = example();
  const after = exampleResults({ accelerator: "kvm" });
  after.facts.versions = after.facts.versions.map((fact) =>
    fact.name === "librbd" ? { ...fact, value: "18.2.4" } : fact,
  );
  after.facts.cluster.push({ name: "osd_op_queue", value: "wpq" });
  assert.deepEqual(differencesOf(before, after), [
    { group: "accelerator", name: "accelerator", values: ["TCG", "KVM"] },
    { group: "versions", name: "librbd", values: ["16.2.15", "18.2.4"] },
    { group: "cluster", name: "osd_op_queue", values: [null, "wpq"] },
  ]);
});

test("a tiny difference in a cluster's size is ignored; one in the workload is not", () => {
  const [before, after] = [example(), example()];
  before.facts.cluster.push({ name: "bytes an OSD can store", value: "10423476224" });
  after.facts.cluster.push({ name: "bytes an OSD can store", value: "10418944000" });
  assert.deepEqual(differencesOf(before, after), []);
  after.facts.cluster.pop();
  after.facts.cluster.push({ name: "bytes an OSD can store", value: "5368709120" });
  after.workload.size += 4096;
  assert.deepEqual(
    differencesOf(before, after).map(({ name }) => name),
    ["area", "bytes an OSD can store"],
  );
});

test("another workload makes runs incomparable, longer repeats do not", () => {
  const longer = example();
  longer.workload = { ...longer.workload, seconds: 60, repeats: 9 };
  assert.equal(differentWork(differencesOf(example(), longer)), false);
  const other = example();
  other.workload = { ...other.workload, ioDepth: 1 };
  assert.equal(differentWork(differencesOf(example(), other)), true);
});

/** Results to be changed at will. */
function example(): Results {
  return structuredClone(results);
}

function differencesOf(...runs: Results[]) {
  return settingsThatDiffer(runs.map((run, index) => ladderRun(`${index}`, run).settings));
}
