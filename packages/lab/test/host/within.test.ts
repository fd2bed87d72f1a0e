import assert from "node:assert/strict";
import { test } from "node:test";
import { LabError } from "../../src/errors.ts";
import { within } from "../../src/host/within.ts";

const never = new Promise<never>(() => {});

test("work that is done in time gives its result, or its own failure", async () => {
  const options = { timeoutMs: 60_000, what: "it did not end" };
  assert.equal(await within(Promise.resolve(7), options), 7);
  await assert.rejects(within(Promise.reject(new Error("own")), options), /own/);
});

test("work that takes too long is given up with a sentence that says what did not happen", async () => {
  await assert.rejects(
    within(never, { timeoutMs: 10, what: "the guest did not answer" }),
    (error) =>
      error instanceof LabError &&
      error.code === "SIPHON_TIMEOUT" &&
      error.message === "the guest did not answer within 0.01 s",
  );
});

test("an abort ends the wait with its own reason, also when it came first", async () => {
  const options = { timeoutMs: 60_000, what: "x", signal: AbortSignal.abort(new Error("stop")) };
  await assert.rejects(within(never, options), /stop/);
  const aborting = new AbortController();
  const waiting = within(never, { ...options, signal: aborting.signal });
  aborting.abort(new Error("later"));
  await assert.rejects(waiting, /later/);
});
