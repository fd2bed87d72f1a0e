import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { LabError } from "../../../src/errors.ts";
import { stage } from "../../../src/guest/debian/stage.ts";
import { processId } from "../../../src/host/proc.ts";

const fails = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof LabError && error.code === code && message.test(error.message);

test("lines are told as they come, from both outputs", async () => {
  const lines: string[] = [];
  await stage("sh", ["-c", "echo one; echo two >&2"], { onLine: (line) => lines.push(line) });
  assert.deepEqual(lines.sort(), ["one", "two"]);
});

test("a failure carries what the program said last", async () => {
  await assert.rejects(
    stage("sh", ["-c", "echo it broke; exit 3"]),
    fails("SIPHON_PROGRAM_FAILED", /sh failed \(3\): it broke/),
  );
});

test("apt's error lines are reported instead of its last output", async () => {
  const script = "echo 'E: no such mirror'; echo a; echo b; echo c; exit 1";
  await assert.rejects(
    stage("sh", ["-c", script]),
    fails("SIPHON_PROGRAM_FAILED", /sh failed \(1\): E: no such mirror$/),
  );
});

test("a full disk is called that, whatever was said after", async () => {
  const script = "echo 'tar: x: Cannot write: No space left on device' >&2; echo bye; exit 2";
  await assert.rejects(stage("sh", ["-c", script]), fails("SIPHON_NO_SPACE", /disk is full/));
});

test("a program that is not there is named", async () => {
  await assert.rejects(stage("no-such-program", []), fails("SIPHON_MISSING_PROGRAM", /no-such-program/));
});

test("an abort ends the program and its children, and lets it clean up", async () => {
  const dir = mkdtempSync(join(tmpdir(), "siphon-stage-"));
  const pids = join(dir, "pids");
  const watcher = watch(dir);
  const started = once(watcher, "change");
  const abort = new AbortController();
  const script = `trap 'echo cleaned > ${dir}/cleaned; exit 1' TERM; sleep 1000 & echo $! $$ > ${pids}; wait`;
  const running = stage("sh", ["-c", script], { signal: abort.signal });
  running.catch(() => {});
  await started;
  watcher.close();
  while (!/\d+ \d+/.test(readFileSync(pids, "utf8"))) await new Promise(setImmediate);
  abort.abort(new Error("enough"));
  await assert.rejects(running, /enough/);
  assert.equal(readFileSync(join(dir, "cleaned"), "utf8"), "cleaned\n");
  for (const pid of readFileSync(pids, "utf8").trim().split(" "))
    assert.equal(processId(Number(pid)), undefined);
  rmSync(dir, { recursive: true });
});
