import assert from "node:assert/strict";
import { test } from "node:test";
import { formatImageSpec, parseImageSpec } from "../../src/server/image-spec.ts";

test("images are named as Ceph names them, and read back the same", () => {
  for (const [text, spec] of [
    ["p/i", { pool: "p", namespace: "", image: "i", snapshot: undefined }],
    ["p/n/i@s", { pool: "p", namespace: "n", image: "i", snapshot: "s" }],
    ["libvirt-pool/vm 1@monday", { pool: "libvirt-pool", namespace: "", image: "vm 1", snapshot: "monday" }],
  ] as const) {
    assert.deepEqual(parseImageSpec(text), spec);
    assert.equal(formatImageSpec(spec), text);
  }
});

test("what names no image is refused", () => {
  for (const text of ["", "i", "p/", "/i", "p/i@", "p/i@a@b", "a/b/c/d"]) {
    assert.throws(() => parseImageSpec(text), { code: "SIPHON_USAGE" }, text);
  }
});
