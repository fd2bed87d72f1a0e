import assert from "node:assert/strict";
import { test } from "node:test";
import { renewUnderLoad } from "../../support/rados/renewals.ts";

/** Seconds. Daemons renew their own secrets at the same interval; with a shorter one they fall behind. */
const lifetime = 6;

for (const mode of ["v1", "secure"] as const) {
  test(`${mode}: tickets are renewed before they expire, without affecting commands in flight`, async () => {
    assert.ok((await renewUnderLoad(mode, lifetime, 3)) > 0);
  });
}
