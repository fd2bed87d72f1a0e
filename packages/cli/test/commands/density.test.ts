import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { writeDensityResults } from "@siphon/lab";
import { exampleDensity } from "../../../lab/test/density/fixtures.ts";
import { main } from "../support/programs.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-cli-density-"));

before(async () => {
  await writeDensityResults(join(dir, "runs", "one"), exampleDensity());
});

after(() => rmSync(dir, { recursive: true, force: true }));

function siphon(...args: string[]) {
  return spawnSync(process.execPath, [main, ...args], { cwd: dir, encoding: "utf8" });
}

test("invalid flags are one sentence and exit code 2, before anything starts", () => {
  for (const [args, message] of [
    [["--vms", "1,x"], /^siphon: these options make no sense: vms\.1: /],
    [["--ways", "krbd"], /^siphon: these options make no sense: ways\.0: /],
    [["--vms", "2", "--memory", "900T"], /do not fit into this machine's free memory/],
  ] as const) {
    const { status, stderr } = siphon("density", ...args);
    assert.equal(status, 2, stderr);
    assert.match(stderr, message);
  }
});

test("siphon report rebuilds the report of a density run, and siphon runs shows it", () => {
  const report = siphon("report", "runs/one");
  assert.equal(report.status, 0, report.stderr);
  assert.match(report.stdout, /siphon, one process for all, 2 VMs +16,640 /);
  assert.match(report.stdout, /−50 % CPU per I\/O/);
  assert.ok(existsSync(join(dir, "runs", "one", "report.html")));
  assert.match(siphon("runs", "show", "one").stdout, /plan \w+: density: randread/);
});
