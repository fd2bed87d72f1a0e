import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { processId } from "../../../src/host/proc.ts";
import { sampleRounds } from "../../../src/profile/backend/rounds.ts";

const options = { seconds: 3600, intervalMs: 1, signal: undefined, report: () => {} };

test("rounds end when their time is over", async () => {
  const id = processId(process.pid)!;
  const { rounds, cutShort, sampleMs } = await sampleRounds(id, { ...options, seconds: 0.2 }, async () => {});
  assert.ok(rounds > 0);
  assert.equal(sampleMs.length, rounds);
  assert.equal(cutShort, undefined);
});

test("an abort ends them, with the samples so far", async () => {
  const stop = new AbortController();
  let looks = 0;
  const { rounds, cutShort } = await sampleRounds(
    processId(process.pid)!,
    { ...options, intervalMs: 60_000, signal: stop.signal },
    async () => {
      looks++;
      setTimeout(() => stop.abort(), 10);
    },
  );
  assert.equal(rounds, looks);
  assert.equal(cutShort, "interrupted");
});

test("a look that fails because the process ended is the end, any other failure is thrown", async () => {
  const child = spawn("sleep", ["60"]);
  const id = processId(child.pid!)!;
  const { cutShort, rounds } = await sampleRounds(id, options, async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
    throw new Error("no such process");
  });
  assert.equal(cutShort, "the process ended");
  assert.equal(rounds, 0);
  const failing = sampleRounds(processId(process.pid)!, options, () => Promise.reject(new Error("broken")));
  await assert.rejects(failing, /broken/);
});

test("a look that fails while the process is still ending is the end, too", async () => {
  const child = spawn("sleep", ["60"]);
  const id = processId(child.pid!)!;
  const { cutShort } = await sampleRounds(id, options, () => {
    setTimeout(() => child.kill("SIGKILL"), 200);
    return Promise.reject(new Error("no such process"));
  });
  assert.equal(cutShort, "the process ended");
});

test("a slow look is followed by a pause as long as itself", async () => {
  const looks: { begun: number; ended: number }[] = [];
  await sampleRounds(processId(process.pid)!, { ...options, seconds: 0.6 }, async () => {
    const begun = performance.now();
    await sleep(100);
    looks.push({ begun, ended: performance.now() });
  });
  // A timer may end up to a millisecond early, and the pause is as long as the look was seen from outside.
  for (const [i, { begun }] of looks.slice(1).entries()) {
    const last = looks[i]!;
    assert.ok(begun - last.ended >= last.ended - last.begun - 2, `look ${i + 2} of ${looks.length}`);
  }
  assert.ok(looks.length > 0);
});
