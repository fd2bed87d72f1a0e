import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { writeResults } from "@siphon/lab";
import { slowed } from "../../../lab/test/compare/fixtures.ts";
import { exampleResults } from "../../../lab/test/fixtures/results.ts";
import { main } from "../support/programs.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-cli-compare-"));

before(async () => {
  const results = exampleResults();
  await writeResults(join(dir, "before"), results);
  await writeResults(join(dir, "after"), slowed(results, "iothread", 0.5));
});

after(() => rmSync(dir, { recursive: true, force: true }));

function compare(...args: string[]) {
  const env = { ...process.env, NO_COLOR: "1" };
  return spawnSync(process.execPath, [main, "compare", ...args], { cwd: dir, env, encoding: "utf8" });
}

test("two runs are compared in text and a table, with the path of the report", () => {
  const { status, stdout, stderr } = compare("before", "after");
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^after against before: of 10 rungs 1 slower and 9 not told apart\.$/m);
  assert.match(stdout, /^\+ iothread .*▼ −50\s% \(/m);
  assert.match(stdout, /^Report: comparisons\/.*\/comparison\.html$/m);
});

test("a rung slower than the limit is exit code 1; within the limit it is 0", () => {
  const beyond = compare("before", "after", "--fail-if-slower", "10");
  assert.equal(beyond.status, 1);
  assert.match(beyond.stderr, /^siphon: after: “\+ iothread” is slower: −50\s% IOPS/m);
  assert.equal(compare("before", "after", "--fail-if-slower", "90").status, 0);
  assert.equal(compare("after", "before", "--fail-if-slower", "0").status, 0);
});

test("--json prints the comparison and nothing else", () => {
  const { stdout } = compare("before", "after", "--json", "--out", "elsewhere");
  const { runs, differences } = JSON.parse(stdout);
  assert.deepEqual(
    runs.map(({ label }: { label: string }) => label),
    ["before", "after"],
  );
  assert.deepEqual(differences, []);
});

test("an invalid comparison is refused", () => {
  for (const [args, words, exitCode] of [
    [["before"], /one run alone cannot be compared/, 2],
    [["before", "none"], /cannot read none: no such file/, 1],
    [["before", "after", "--fail-if-slower", "much"], /--fail-if-slower needs percent/, 2],
  ] as const) {
    const { status, stderr } = compare(...args);
    assert.match(stderr, words);
    assert.equal(status, exitCode);
  }
});
