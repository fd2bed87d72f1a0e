import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader, Writer } from "@siphon/wire";
import { readNamespace, type SnapshotNamespace, writeNamespace } from "../../src/cls/snapshot.ts";

test("what an image's part of a group's snapshot belongs to is in the bytes in which librbd 16.2 wrote it", () => {
  const stored =
    "01012c0000000100000002000000000000000c0000003131653136623862343536370c000000313262623662386234353637";
  const namespace: SnapshotNamespace = {
    ...{ type: "group", poolId: 2, groupId: "11e16b8b4567", groupSnapshotId: "12bb6b8b4567" },
  };
  const w = new Writer();
  writeNamespace(w, namespace);
  assert.equal(w.finish().toString("hex"), stored);
  assert.deepEqual(readNamespace(new Reader(Buffer.from(stored, "hex"), "namespace")), namespace);
});

test("namespaces that are not looked into are written as they were read", () => {
  for (const [type, code] of [
    ["mirror", 3],
    ["unknown", 99],
  ] as const) {
    // What follows may be anything.
    const stored = new Writer().versioned(1, 1, (w) => w.u32(code).u8(1).string("more of it")).finish();
    const namespace = readNamespace(new Reader(stored, "namespace"));
    assert.equal(namespace.type, type);
    const w = new Writer();
    writeNamespace(w, namespace);
    assert.deepEqual(w.finish(), stored);
  }
});
