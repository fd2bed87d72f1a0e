import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { writeResults } from "@siphon/lab";
import { exampleResults } from "../../../lab/test/fixtures/results.ts";
import { main } from "../support/programs.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-cli-crypto-"));

before(async () => {
  await writeResults(join(dir, "run"), exampleResults());
  const writing = exampleResults();
  writing.workload.rw = "randwrite";
  await writeResults(join(dir, "writing"), writing);
});

after(() => rmSync(dir, { recursive: true, force: true }));

function crypto(...args: string[]) {
  const env = { ...process.env, NO_COLOR: "1" };
  return spawnSync(process.execPath, [main, "crypto", ...args], { cwd: dir, env, encoding: "utf8" });
}

test("one round prints the table beside the study's, the ceilings, and a comparison with a run", () => {
  const { status, stdout, stderr } = crypto("--rounds", "1", "--run", "run");
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^One core decrypts [\d,]+ frames of 16 KiB a second here/m);
  assert.match(stdout, /^decrypt, the study +322 +1,099 +2,269 +3,429 +3,996 +4,038$/m);
  assert.match(stdout, /^decrypt, openssl speed( +[\d,.]+){6}$/m);
  assert.match(stdout, /^encrypt, Node, node:crypto( +[\d,.]+){6}$/m);
  assert.match(stdout, /^the study +246,000 +4\.1 µs +739,000 +104,000–148,000$/m);
  assert.match(stdout, /^At the measured “\+ encryption on the wire”/m);
  assert.match(stdout, /^Report: crypto\/.*\/crypto\.html$/m);
});

test("invalid options are refused before anything is measured", () => {
  for (const [args, words, exitCode] of [
    [["--rounds", "0"], /--rounds needs a whole number of at least 1/, 2],
    [["--seconds", "0.5"], /--seconds needs a whole number/, 2],
    [["--run", "none"], /cannot read none: no such file/, 1],
    [["--run", "writing"], /writing cannot be compared with the ceiling: .*16 KiB at random/, 2],
  ] as const) {
    const { status, stderr } = crypto(...args);
    assert.match(stderr, words);
    assert.equal(status, exitCode);
  }
});
