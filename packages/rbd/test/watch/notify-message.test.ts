import assert from "node:assert/strict";
import { test } from "node:test";
import { Writer } from "@siphon/wire";
import {
  decodeNotifyMessage,
  decodeResponse,
  encodeNotifyMessage,
  encodeResponse,
  type NotifyMessage,
} from "../../src/watch/notify-message.ts";

/** As librbd 16.2 sent them, behind version and length, and what they mean. */
const captured: [string, Exclude<NotifyMessage, { type: "unknown" }>][] = [
  [
    "020000000c11000000000000a01100e0d87f000000",
    { type: "requestLock", client: { gid: 0x110cn, handle: 0x7fd8e00011a0n }, force: false },
  ],
  ["03000000", { type: "headerUpdate" }],
  [
    "080000000100000061010104000000000000000f11000000000000004b0000da7f000001000000000000000000000000000000",
    {
      ...{ type: "snapCreate", name: "a", namespace: { type: "user" }, flags: 0 },
      id: { gid: 0x110fn, handle: 0x7fda00004b00n, request: 1n },
    },
  ],
  [
    "090000000100000063010104000000000000001911000000000000304d010c587f00000100000000000000",
    {
      ...{ type: "snapRemove", name: "c", namespace: { type: "user" } },
      id: { gid: 0x1119n, handle: 0x7f580c014d30n, request: 1n },
    },
  ],
];

test("what librbd notifies is understood, and written in the same bytes", () => {
  for (const [body, message] of captured) {
    const bytes = ofVersion(7, body);
    assert.deepEqual(decodeNotifyMessage(bytes), message);
    assert.equal(encodeNotifyMessage(message).toString("hex"), bytes.toString("hex"));
  }
});

test("every message comes back as it was sent", () => {
  const id = { gid: 4123n, handle: 2n ** 63n, request: 7n };
  const named = { name: "s", namespace: { type: "user" as const }, id };
  const messages: Exclude<NotifyMessage, { type: "unknown" }>[] = [
    { type: "acquiredLock", client: { gid: 1n, handle: 2n } },
    { type: "releasedLock", client: { gid: 1n, handle: 2n } },
    { type: "requestLock", client: { gid: 1n, handle: 2n }, force: true },
    { type: "asyncProgress", id, offset: 3, total: 2 ** 40 },
    { type: "asyncComplete", id, result: -16 },
    { type: "flatten", id },
    { type: "quiesce", id },
    { type: "rebuildObjectMap", id },
    { type: "rename", name: "new", id },
    { type: "updateFeatures", features: 24, enable: true, id },
    { type: "unquiesce", id },
    { type: "sparsify", id, sparseSize: 65_536 },
    { type: "resize", id, size: 2 ** 40, allowShrink: true },
    { type: "snapProtect", ...named },
    { type: "snapUnprotect", ...named },
    { type: "snapRename", snapId: 12, ...named },
    { type: "snapRemove", ...named, namespace: { type: "trash", originalName: "once" } },
    {
      ...{ type: "snapRemove", ...named },
      namespace: { type: "group", poolId: 2, groupId: "11e16b8b4567", groupSnapshotId: "12bb6b8b4567" },
    },
  ];
  for (const message of messages)
    assert.deepEqual(decodeNotifyMessage(encodeNotifyMessage(message)), message);
});

test("messages of clients before Pacific have no request, and the oldest announce changes by nothing", () => {
  assert.deepEqual(decodeNotifyMessage(Buffer.alloc(0)), { type: "headerUpdate" });
  assert.deepEqual(decodeNotifyMessage(ofVersion(6, "09000000010000006301010400000000000000")), {
    ...{ type: "snapRemove", name: "c", namespace: { type: "user" }, id: undefined },
  });
  assert.deepEqual(decodeNotifyMessage(ofVersion(6, "0f000000180000000000000000")), {
    ...{ type: "updateFeatures", features: 24, enable: false, id: undefined },
  });
  assert.deepEqual(decodeNotifyMessage(ofVersion(6, "0e000000010000006e")), {
    ...{ type: "rename", name: "n", id: undefined },
  });
  assert.deepEqual(decodeNotifyMessage(ofVersion(7, "63000000")), { type: "unknown", op: 99 });
});

test("an owner answers with a result, all others with nothing", () => {
  assert.equal(decodeResponse(encodeResponse(-30)), -30);
  assert.equal(decodeResponse(Buffer.alloc(0)), undefined);
});

function ofVersion(version: number, body: string): Buffer {
  return new Writer().versioned(version, 1, (w) => w.raw(Buffer.from(body, "hex"))).finish();
}
