import assert from "node:assert/strict";
import { test } from "node:test";
import { addressesOfNames } from "../../src/network/known-names.ts";
import { subnetText } from "../../src/network/subnet.ts";

test("host names resolve to their addresses, and an unknown name to none", async () => {
  const found = await addressesOfNames(["localhost", "no-such-host.invalid"]);
  assert.deepEqual(found.map(subnetText), ["127.0.0.1/32"]);
});
