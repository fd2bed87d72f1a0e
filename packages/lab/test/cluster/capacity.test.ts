import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { withCapacity } from "../../src/cluster/capacity.ts";
import { parseClusterSpec } from "../../src/cluster/spec.ts";
import { LabError } from "../../src/errors.ts";

test("an OSD has the requested size, or at most 10 GiB", async () => {
  const asked = await withCapacity(parseClusterSpec({ osds: 1, osdSize: 2 ** 30 }), tmpdir());
  assert.equal(asked.osdSize, 2 ** 30);
  const { osdSize } = await withCapacity(parseClusterSpec({ osds: 1 }), tmpdir());
  assert.ok(osdSize >= 2 ** 30 && osdSize <= 10 * 2 ** 30);
});

test("a cluster larger than its disk is refused, but memory is not disk", async () => {
  const huge = { osds: 2, osdSize: 2 ** 52 };
  await assert.rejects(
    withCapacity(parseClusterSpec(huge), tmpdir()),
    (error) => error instanceof LabError && error.code === "SIPHON_NO_SPACE",
  );
  assert.equal(
    (await withCapacity(parseClusterSpec({ ...huge, store: "memstore" }), tmpdir())).osdSize,
    2 ** 52,
  );
});
