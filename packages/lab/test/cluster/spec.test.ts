import assert from "node:assert/strict";
import { test } from "node:test";
import { parseClusterSpec } from "../../src/cluster/spec.ts";
import { LabError } from "../../src/errors.ts";

test("the defaults are the study's cluster on one machine", () => {
  const spec = parseClusterSpec({});
  assert.deepEqual(
    [spec.mons, spec.osds, spec.replicas, spec.store, spec.auth, spec.msgr, spec.wire, spec.rbdCache],
    [1, 3, 3, "bluestore", "none", "v2", "crc", false],
  );
  assert.deepEqual([spec.pool, spec.user], ["libvirt-pool", "libvirt"]);
});

test("there are as many replicas as OSDs when there are fewer than three", () => {
  assert.equal(parseClusterSpec({ osds: 1 }).replicas, 1);
  assert.equal(parseClusterSpec({ osds: 5 }).replicas, 3);
});

for (const [what, input, why] of [
  ["secure mode without cephx", { wire: "secure" }, /needs the session keys of auth cephx/],
  ["secure mode over msgr v1", { wire: "secure", auth: "cephx", msgr: "v1" }, /needs msgr v2/],
  [
    "secure mode with a way around it",
    { wire: "secure", auth: "cephx", msgr: "both" },
    /needs msgr v2 alone/,
  ],
  ["the choice of secure mode without cephx", { wire: "any" }, /needs the session keys of auth cephx/],
  ["more replicas than OSDs", { osds: 2, replicas: 3 }, /3 replicas need as many OSDs, and there are 2/],
  ["no OSD", { osds: 0 }, /osds/],
  ["a name that leaves the directory", { name: "../x" }, /name/],
  ["an unknown option", { size: 3 }, /size/],
] as const) {
  test(`${what} is refused in one sentence`, () => {
    assert.throws(
      () => parseClusterSpec(input as object),
      (error) =>
        error instanceof LabError &&
        error.code === "SIPHON_USAGE" &&
        why.test(error.message) &&
        !error.message.includes("\n"),
    );
  });
}
