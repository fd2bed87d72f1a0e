import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readBaselineResults, writeBaselineResults } from "../../../src/baseline/file.ts";
import { baselineHeadline } from "../../../src/baseline/report/findings.ts";
import { writeBaselineReport } from "../../../src/baseline/report/write.ts";
import { LabError } from "../../../src/errors.ts";
import { readResults, runKind } from "../../../src/results/file.ts";
import { emptyRecord, exampleBaseline, plannedCell } from "../fixtures.ts";

async function directory(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "siphon-baseline-report-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

test("a report is one page, its Markdown and the charts, with the study's beside ours", async () => {
  await using dir = await directory();
  const results = exampleBaseline();
  const files = await writeBaselineReport(dir.path, results);
  assert.deepEqual((await readdir(dir.path)).toSorted(), [
    "clusters.svg",
    "cpu.svg",
    "report.html",
    "report.md",
    "study-clusters.svg",
    "study-wires.svg",
    "threads.svg",
    "wires.svg",
  ]);
  const page = await readFile(files.html, "utf8");
  assert.match(page, /122,524/, "the study's librbd on 30 OSDs");
  assert.match(page, /Kernel RBD ran inside a guest.*TCG/);
  assert.match(page, /no root/, "why a cell was skipped");
  assert.match(page, /fio --name=&lt;b&gt;/);
  for (const path of [files.html, files.markdown]) {
    assert.doesNotMatch(await readFile(path, "utf8"), /NaN|undefined|Infinity/);
  }
});

test("the headline gives the result and the cost of encryption, no more precisely than the repeats allow", () => {
  assert.match(
    baselineHeadline(exampleBaseline()),
    /^librbd reaches 24,000 IOPS on 1 OSD; secure mode costs librbd 34\s% of its IOPS\.$/,
  );
  assert.match(baselineHeadline(exampleBaseline(2)), /too few repeats to be sure/);
  const nothing = emptyRecord([plannedCell(1, "v2-crc", "librbd")]).results(false);
  assert.equal(baselineHeadline(nothing), "Nothing could be measured.");
});

test("there is a report also when nothing was measured", async () => {
  await using dir = await directory();
  const nothing = emptyRecord([plannedCell(1, "v2-crc", "librbd")]).results(false);
  const page = await readFile((await writeBaselineReport(dir.path, nothing)).html, "utf8");
  assert.match(page, /its turn did not come/);
});

test("results are read again as they were written; what reads ladders says that this is none", async () => {
  await using dir = await directory();
  const results = exampleBaseline();
  await writeBaselineResults(dir.path, results);
  assert.deepEqual(await readBaselineResults(dir.path), JSON.parse(JSON.stringify(results)));
  assert.equal(await runKind(dir.path), "baseline");
  await assert.rejects(
    readResults(dir.path),
    (error) =>
      error instanceof LabError && /run of siphon baseline, not of siphon ladder/.test(error.message),
  );
});
