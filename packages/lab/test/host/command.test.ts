import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "../../src/errors.ts";
import { run, which } from "../../src/host/command.ts";
import { processId } from "../../src/host/proc.ts";

const codeOf = (code: string) => (error: unknown) => error instanceof LabError && error.code === code;

test("a program's output and input pass through, its environment is added to ours", async () => {
  const result = await run("sh", ["-c", 'cat; printf " %s" "$EXTRA"; printf oops >&2'], {
    input: "hello",
    env: { EXTRA: "world" },
  });
  assert.deepEqual(result, { exitCode: 0, stdout: "hello world", stderr: "oops" });
});

test("a program that fails is an error with its last words, unless any exit code is fine", async () => {
  await assert.rejects(run("sh", ["-c", "echo first; echo the reason >&2; exit 3"]), (error: Error) => {
    assert.ok(codeOf("SIPHON_PROGRAM_FAILED")(error));
    assert.match(error.message, /exit code 3.*the reason/);
    return true;
  });
  assert.equal((await run("false", [], { anyExitCode: true })).exitCode, 1);
});

test("a program that is not there is said so", async () => {
  await assert.rejects(run("no-such-program-of-ours"), codeOf("SIPHON_MISSING_PROGRAM"));
  assert.equal(await which("no-such-program-of-ours"), undefined);
  assert.match((await which("sh"))!, /\/sh$/);
});

test("a program that hangs is ended at its time limit", async () => {
  await assert.rejects(run("sleep", ["60"], { timeoutMs: 200 }), codeOf("SIPHON_TIMEOUT"));
});

test("its time limit holds too where its output stays open in a program that is not ours to end", async () => {
  // In a session of its own, as ssh's master is.
  const elsewhere = ["-c", 'setsid sleep 60 & echo "$!"; wait'];
  let pid = 0;
  const onStdout = (text: string) => {
    pid = Number(text);
  };
  // A busy machine may not have started it by then.
  for (let timeoutMs = 500; pid === 0; timeoutMs *= 2) {
    await assert.rejects(run("sh", elsewhere, { timeoutMs, onStdout }), codeOf("SIPHON_TIMEOUT"));
  }
  assert.ok(processId(pid), "the other program ended first");
  process.kill(pid);
});

test("an abort ends the program and is thrown as it came", async () => {
  const reason = new Error("enough");
  const controller = new AbortController();
  const running = run("sleep", ["60"], { signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(running, (error) => error === reason);
  await assert.rejects(run("true", [], { signal: controller.signal }), (error) => error === reason);
});

test("output is handed over as it comes, and an abort ends also what ignores SIGTERM, with its children", async () => {
  const controller = new AbortController();
  let output = "";
  const script = "trap '' TERM; sh -c 'echo child $$; sleep 60' & echo parent $$; wait; sleep 60";
  const running = run("sh", ["-c", script], {
    signal: controller.signal,
    onStdout: (text) => {
      output += text;
      if (/parent \d+\n/.test(output) && /child \d+\n/.test(output)) controller.abort(new Error("enough"));
    },
  });
  await assert.rejects(running, /enough/);
  const pids = [...output.matchAll(/\d+/g)].map(Number);
  assert.equal(pids.length, 2);
  while (pids.some(processId)) await sleep(20);
});

test("input can be made while it is read", async () => {
  async function* chunks() {
    for (let i = 0; i < 100; i++) yield Buffer.alloc(10_000, "x");
  }
  assert.equal((await run("wc", ["-c"], { input: chunks() })).stdout.trim(), "1000000");
});

test("a program that does not read its input causes no error", async () => {
  await run("true", [], { input: "x".repeat(1_000_000) });
});
