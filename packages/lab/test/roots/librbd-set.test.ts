import assert from "node:assert/strict";
import { test } from "node:test";
import { host } from "../../src/host/platform.ts";
import { isNewer, librbdSet } from "../../src/roots/librbd-set.ts";
import { Root } from "../../src/roots/root.ts";
import { smallRoot } from "../support/small-root.ts";

test("versions are compared part by part, and one that is not known is not newer", () => {
  assert.ok(isNewer("2.41", "2.36"));
  assert.ok(isNewer("1.100", "1.20"));
  assert.ok(isNewer("20.2.4-1", "20.2.4"));
  assert.ok(!isNewer("1.16", "1.16.0"));
  assert.ok(!isNewer(undefined, "1.0"));
});

test("a platform without librbd offers none", async () => {
  using small = await smallRoot();
  await assert.rejects(librbdSet(Root.at(small.directory), host), {
    code: "SIPHON_USAGE",
    message: `the root ${small.directory} has no librbd`,
  });
});
