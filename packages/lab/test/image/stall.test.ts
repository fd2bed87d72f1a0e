import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { LabError } from "../../src/errors.ts";
import { StallGuard } from "../../src/image/stall.ts";

test("work that comes no further is aborted with its name", async () => {
  using guard = new StallGuard("filling the image p/i", { seconds: 0.01 });
  guard.progress();
  await once(guard.signal, "abort");
  const { reason } = guard.signal;
  assert.ok(reason instanceof LabError && reason.code === "SIPHON_TIMEOUT");
  assert.match(reason.message, /^filling the image p\/i came no further/);
});

test("the caller's abort goes through as it came", () => {
  const reason = new Error("enough");
  using guard = new StallGuard("work", { signal: AbortSignal.abort(reason) });
  assert.equal(guard.signal.reason, reason);
});
