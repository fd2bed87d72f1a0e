import assert from "node:assert/strict";
import { test } from "node:test";
import { calibrate } from "../../src/load/calibration.ts";

test("the piece of work is the same however often it was done", () => {
  // What came out otherwise would be no number.
  for (let time = 0; time < 20; time++) assert.ok(calibrate() > 0);
});
