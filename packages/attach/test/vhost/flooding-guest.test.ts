import assert from "node:assert/strict";
import { test } from "node:test";
import { floodRun } from "../support/flood-run.ts";

test("a guest that powers off, boots again and comes back with all rings full costs little memory, and no other guest its time", async () => {
  const { powerOffs, resets, reconnects, requests } = await floodRun(12, 3);
  assert.ok(powerOffs > 0 && resets > 0 && reconnects > 0 && requests > 5000);
});
