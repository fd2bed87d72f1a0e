import assert from "node:assert/strict";
import { test } from "node:test";
import type { MaintainedImage } from "../../src/maintenance/maintained-image.ts";
import { whileQuiesced } from "../../src/maintenance/quiesce.ts";
import { encodeResponse } from "../../src/watch/notify-message.ts";

/** An image with watchers that answer so. */
function watched(...answers: Uint8Array[]): MaintainedImage {
  const replies = answers.map((payload) => ({ payload: Buffer.from(payload) }));
  return {
    pool: { notify: async () => ({ replies, missed: [] }) },
    ...{ header: { name: "disk" }, headerName: "rbd_header.1", settings: { number: () => 10 } },
    requests: { newId: async () => ({ gid: 1n, handle: 1n, request: 1n }) },
    tell: async () => {},
  } as unknown as MaintainedImage;
}

const notSupported = encodeResponse(-95);
const nonsense = Buffer.from("hello");

test("watchers that say nothing, nothing that makes sense, or that they have nothing to quiesce do not stop a snapshot", async () => {
  let taken = 0;
  const images = [watched(new Uint8Array(), encodeResponse(0)), watched(nonsense, notSupported)];
  await whileQuiesced(images, "required", async () => void taken++);
  assert.equal(taken, 1);
});

test("one that cannot quiesce stops a snapshot that requires it, and no other", async () => {
  let taken = 0;
  const images = [watched(nonsense, encodeResponse(-16))];
  const busy = { code: "SIPHON_RBD_BUSY", errno: -16, retryable: true };
  await assert.rejects(
    whileQuiesced(images, "required", async () => void taken++),
    busy,
  );
  await whileQuiesced(images, "attempted", async () => void taken++);
  assert.equal(taken, 1);
});
