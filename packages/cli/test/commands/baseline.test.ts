import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { writeBaselineResults } from "@siphon/lab";
import { exampleBaseline } from "../../../lab/test/baseline/fixtures.ts";
import { main } from "../support/programs.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-cli-baseline-"));

before(async () => {
  await writeBaselineResults(join(dir, "runs", "one"), exampleBaseline());
});

after(() => rmSync(dir, { recursive: true, force: true }));

function siphon(...args: string[]) {
  return spawnSync(process.execPath, [main, ...args], { cwd: dir, encoding: "utf8" });
}

test("a mistake in the flags or the plan is one sentence and exit code 2, before anything starts", () => {
  const wire = siphon("baseline", "--wire", "v3");
  assert.equal(wire.status, 2);
  assert.match(wire.stderr, /^siphon: these options make no sense: wire\.0: /);
  writeFileSync(join(dir, "plan.yaml"), "osd: [1]\n");
  const plan = siphon("baseline", "--plan", "plan.yaml");
  assert.equal(plan.status, 2);
  assert.match(plan.stderr, /plan\.yaml makes no sense: .*osd/);
});

test("siphon report rebuilds a baseline's report, and shows its cells and their differences", () => {
  const { status, stdout } = siphon("report", "runs/one");
  assert.equal(status, 0);
  assert.match(stdout, /^librbd reaches 24,000 IOPS/);
  assert.match(stdout, /1-osd-v2-secure-librbd against 1-osd-v2-crc-librbd +▼ −34/);
  assert.match(stdout, /1-osd-v2-secure-krbd skipped: no root/);
  assert.ok(existsSync(join(dir, "runs", "one", "report.html")));
});
