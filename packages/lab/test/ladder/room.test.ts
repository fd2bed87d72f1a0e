import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLadderOptions } from "../../src/ladder/options.ts";
import { vmsAtOnce } from "../../src/ladder/room.ts";

const GIB = 2 ** 30;

test("as many VMs run side by side as fit into memory, and at least one", () => {
  const options = parseLadderOptions({});
  assert.equal(vmsAtOnce(options, 24 * GIB), 30);
  assert.equal(vmsAtOnce(options, 4 * GIB), 4);
  assert.equal(vmsAtOnce(options, GIB / 2), 1);
});

test("VMs that boot from the image do not share it", () => {
  assert.equal(vmsAtOnce(parseLadderOptions({ guestImage: "debian.qcow2" }), 24 * GIB), 1);
});
