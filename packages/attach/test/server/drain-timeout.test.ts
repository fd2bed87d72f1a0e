import assert from "node:assert/strict";
import { test } from "node:test";
import { endedInTime } from "../../src/server/drain-timeout.ts";

test("work takes as long as it wants until it is to end", async () => {
  const work = new Promise((resolve) => setTimeout(resolve, 30, "done"));
  assert.equal(await endedInTime(work, new AbortController().signal, 1), "done");
});

test("work that ends in time ends as it does", async () => {
  const stop = new AbortController();
  const failing = new Promise((_, reject) => {
    stop.signal.addEventListener("abort", () => reject(new Error("broken")));
  });
  const ended = endedInTime(failing, stop.signal, 60_000);
  stop.abort();
  await assert.rejects(ended, { message: "broken" });
});

test("work that does not end is left", async () => {
  for (const abortedBefore of [true, false]) {
    const stop = new AbortController();
    if (abortedBefore) stop.abort();
    const ended = endedInTime(new Promise(() => {}), stop.signal, 20);
    stop.abort();
    await assert.rejects(ended, { code: "SIPHON_ATTACH_DRAIN", message: /within 0\.02 s/ });
  }
});
