import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runOn, writeRuns } from "../../../lab/test/history/fixtures.ts";
import { main } from "../support/programs.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-cli-runs-"));

before(() => writeRuns(join(dir, "runs"), { one: runOn(1), two: runOn(2, 0.5) }));
after(() => rmSync(dir, { recursive: true, force: true }));

function runs(...args: string[]) {
  return spawnSync(process.execPath, [main, "runs", ...args], { cwd: dir, encoding: "utf8" });
}

test("list shows each run with its plan; show shows the results of the latest run", () => {
  const { status, stdout } = runs("list");
  assert.equal(status, 0);
  assert.match(stdout, /\nbroken .*broken .*not JSON/);
  assert.match(stdout, /\none .*1 March 2026.* complete .*ladder, cumulative: randread, 16 KiB, depth 128/);
  const listed = JSON.parse(runs("list", "--json").stdout) as { name: string; plan: string | null }[];
  assert.deepEqual(
    listed.map(({ name }) => name),
    ["broken", "one", "two"],
  );
  const shown = runs("show");
  assert.equal(shown.status, 0);
  assert.match(shown.stdout, new RegExp(`^two: complete, .*\\nplan ${listed[1]!.plan}: ladder`));
  assert.match(shown.stdout, /\nThe VM reaches .*\n\nReport: runs\/two\/report\.html\n$/s);
  assert.equal(JSON.parse(runs("show", "one", "--json").stdout).started, runOn(1).started);
});

test("compare takes names from the list, and fails as siphon compare does", () => {
  const { status, stdout, stderr } = runs("compare", "one", "latest", "--fail-if-slower", "10");
  assert.equal(status, 1);
  assert.match(stdout, /runs\/two against runs\/one/);
  assert.match(stderr, /“\+ cache=none” is slower/);
});

test("trend compares the latest run with the first, and writes a page", () => {
  const { status, stdout } = runs("trend", "--html", "page.html");
  assert.equal(status, 0);
  assert.match(stdout, /1 worse from the first of 2 runs to the latest\./);
  assert.match(stdout, /\nPage: page\.html\n$/);
  assert.match(readFileSync(join(dir, "page.html"), "utf8"), /<h1>Of \d+ figures of IOPS/);
  assert.equal(runs("trend", "--last", "1").status, 2);
});

test("rm removes runs, but none if one of the names is wrong; a missing run gives exit code 1", () => {
  const wrong = runs("rm", "one", "none");
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /there is no run none in runs\n +list runs with: siphon runs list/);
  const { status, stdout } = runs("rm", "latest", "broken");
  assert.equal(status, 0);
  assert.equal(stdout, "removed two\nremoved broken\n");
  assert.ok(!existsSync(join(dir, "runs", "two")) && existsSync(join(dir, "runs", "one", "results.json")));
});
