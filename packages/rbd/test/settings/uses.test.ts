import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCephOptions } from "@siphon/rados";
import { rbdOptions } from "../../src/settings/options.ts";
import { settingUses } from "../../src/settings/uses.ts";

test("of every setting of RBD's that Ceph knows it is said what becomes of it", async () => {
  const known = [...(await loadCephOptions()).keys()].filter((name) => name.startsWith("rbd_"));
  assert.ok(known.length > 100);
  assert.deepEqual(
    settingUses.map(({ name }) => name),
    known.sort(),
  );
  assert.deepEqual([...rbdOptions.keys()].sort(), known);
});

test("every row has one of three words, and a reason", () => {
  for (const { name, use, what } of settingUses) {
    assert.ok(["obeyed", "no effect", "refused"].includes(use), name);
    assert.ok(what.length > 10, name);
  }
});
