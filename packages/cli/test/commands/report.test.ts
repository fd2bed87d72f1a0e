import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { writeResults } from "@siphon/lab";
import { exampleResults } from "../../../lab/test/fixtures/results.ts";
import { main } from "../support/programs.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-cli-report-"));

before(async () => {
  await writeResults(join(dir, "runs", "one"), exampleResults());
  symlinkSync("one", join(dir, "runs", "latest"));
});

after(() => rmSync(dir, { recursive: true, force: true }));

function report(...args: string[]) {
  return spawnSync(process.execPath, [main, "report", ...args], { cwd: dir, encoding: "utf8" });
}

test("without a name the latest run's report is rebuilt in its own directory", () => {
  const { status, stdout } = report();
  assert.equal(status, 0);
  assert.match(stdout, /^The VM reaches /);
  assert.match(stdout, /\nReport: runs\/latest\/report\.html\n$/);
  assert.ok(readdirSync(join(dir, "runs", "one")).includes("report.html"));
});

test("a results file and another directory can be named; the directory gets the results too; --json prints the paths written", () => {
  const { status, stdout } = report("runs/one/results.json", "--out", "elsewhere", "--json");
  assert.equal(status, 0);
  const written = JSON.parse(stdout) as { html: string; charts: string[] };
  assert.equal(written.html, "elsewhere/report.html");
  assert.deepEqual(
    readdirSync(join(dir, "elsewhere")).toSorted(),
    [
      "results.json",
      "report.html",
      "report.md",
      ...written.charts.map((path) => path.replace("elsewhere/", "")),
    ].toSorted(),
  );
});

test("a missing run and a directory without one are reported in one sentence, with exit code 1", () => {
  const missing = report("runs/none");
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /^siphon: cannot read runs\/none: no such file\n +name a results\.json/);
  writeFileSync(join(dir, "broken.json"), "{");
  const broken = report("broken.json");
  assert.equal(broken.status, 1);
  assert.match(broken.stderr, /^siphon: cannot read broken\.json: it is not JSON/);
});
