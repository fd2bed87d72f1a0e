import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readComparable } from "../../src/compare/comparable.ts";
import { compareRuns } from "../../src/compare/compare-runs.ts";
import { readDensityResults, writeDensityResults } from "../../src/density/file.ts";
import { writeDensityReport } from "../../src/density/report/write.ts";
import { readResults } from "../../src/results/file.ts";
import { exampleDensity } from "./fixtures.ts";

const results = exampleDensity();
let directory: string;
let page: string;
let markdown: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "siphon-density-"));
  await writeDensityResults(directory, results);
  const files = await writeDensityReport(directory, results);
  page = await readFile(files.html, "utf8");
  markdown = await readFile(files.markdown, "utf8");
});

after(() => rm(directory, { recursive: true, force: true }));

test("ways are held against the first with as many VMs, block by block", () => {
  const cell = results.cells.find(({ name }) => name === "siphon-one-2")!;
  assert.ok(cell.status === "measured" && cell.comparison?.against === "librbd-2");
  assert.equal(cell.comparison.cpuPerIo.verdict, "better");
  assert.ok(Math.abs(cell.comparison.cpuPerIo.ratio.median - 0.5) < 0.01);
  assert.equal(cell.comparison.iops.verdict, "no significant difference");
  const first = results.cells.find(({ name }) => name === "librbd-2")!;
  assert.ok(first.status === "measured" && first.comparison === undefined);
});

test("a block that failed is noted, and the others count", () => {
  const cell = results.cells.find(({ name }) => name === "siphon-each-2")!;
  assert.ok(cell.status === "measured" && cell.runs.length === 4);
  assert.match(cell.note!, /1 more blocks failed: the guest panicked/);
  assert.ok(page.includes("the guest panicked"));
});

test("the report has a chart of each figure, the finding, and how to measure it again", () => {
  for (const name of ["iops", "p99", "cpu", "memory"]) {
    assert.ok(page.includes(`density-${name}-wide-title`), name);
    assert.ok(markdown.includes(`(density-${name}.svg)`), name);
  }
  assert.match(page, /<h1>.*2 VMs: 16,600 IOPS together/);
  assert.match(page, /siphon, one process for all, 2 VMs, against librbd in each QEMU, 2 VMs: .*−50/);
  assert.match(markdown, /siphon density --vms 1,2 --ways librbd,siphon-each,siphon-one/);
  assert.ok(!page.includes("<fast>") && page.includes("qemu &lt;a&gt;"));
});

test("results.json is read, and two runs can be compared", async () => {
  assert.deepEqual(await readDensityResults(directory), JSON.parse(JSON.stringify(results)));
  await assert.rejects(readResults(directory), { code: "SIPHON_USAGE", message: /a run of siphon density/ });
  const run = await readComparable(directory);
  const { rows } = compareRuns([run, { ...run, label: "again" }]);
  assert.deepEqual(
    rows.map(({ name }) => name),
    results.cells.map(({ name }) => name),
  );
});
