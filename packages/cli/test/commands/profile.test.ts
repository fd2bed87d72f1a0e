import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readProfile } from "@siphon/lab";
import { main } from "../support/programs.ts";

const dir = mkdtempSync(join(tmpdir(), "siphon-cli-profile-"));
const options = {
  cwd: dir,
  env: { ...process.env, SIPHON_STATE_DIR: join(dir, "state"), NO_COLOR: "1" },
  encoding: "utf8",
} as const;
const target = spawn("sh", ["-c", "while :; do :; done"]);

after(() => {
  target.kill("SIGKILL");
  rmSync(dir, { recursive: true, force: true });
});

test("the terminal shows the bottleneck, the cost of profiling and the files", () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [main, "profile", `${target.pid}`, "--seconds", "0.5"],
    options,
  );
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^(sh is saturated|sh wants a core|No thread is saturated: the busiest, sh)/);
  assert.match(stdout, /\d+ samples in [\d.]+ s by (eu-stack|gdb|perf)\./);
  assert.match(stdout, /Flame graph: profiles\/\S+-sh-\d+\/profile\.html/);
});

test("Ctrl-C ends the sampling; the samples are written, and the process runs on", async () => {
  const args = [main, "profile", `${target.pid}`, "--seconds", "3600", "--out", "cut"];
  const siphon = spawn(process.execPath, args, { ...options, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  siphon.stderr.on("data", (bytes) => {
    const before = said;
    said += bytes;
    if (!before.includes("sample,") && said.includes("sample,")) siphon.kill("SIGINT");
  });
  assert.deepEqual(await once(siphon, "exit"), [130, null]);
  assert.match(said, /interrupted by SIGINT/);
  const [name] = readdirSync(join(dir, "cut"));
  const profile = await readProfile(join(dir, "cut", name, "profile.json"));
  assert.equal(profile.cutShort, "interrupted");
  assert.match(readFileSync(`/proc/${target.pid}/status`, "utf8"), /^State:\s*[RSD]/m);
});

test("invalid options are refused", () => {
  for (const [args, words, exitCode] of [
    [["none"], /there is no VM none/, 1],
    [[`${2 ** 22 + 1}`], /there is no process/, 1],
    [[`${target.pid}`, "--seconds", "0"], /--seconds needs a number above 0/, 2],
    [[`${target.pid}`, "--interval", "x"], /--interval needs/, 2],
    [[`${target.pid}`, "--backend", "dtrace"], /Allowed choices/, 2],
  ] as const) {
    const { status, stderr } = spawnSync(process.execPath, [main, "profile", ...args], options);
    assert.match(stderr, words);
    assert.equal(status, exitCode);
  }
});
