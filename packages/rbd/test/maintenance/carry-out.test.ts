import assert from "node:assert/strict";
import { test } from "node:test";
import type { SnapshotNamespace } from "../../src/cls/snapshot.ts";
import type { OpenImage } from "../../src/image/open-image.ts";
import { carryOut } from "../../src/maintenance/carry-out.ts";
import type { OwnerTask } from "../../src/watch/owner-task.ts";

const id = { gid: 1n, handle: 2n, request: 3n };
const unknown: SnapshotNamespace = { type: "unknown", encoded: Buffer.from([9, 0, 0, 0]) };
const mirror: SnapshotNamespace = { type: "mirror", encoded: Buffer.from([3, 0, 0, 0]) };

test("what the lock's owner is asked for in a way that is not known is refused, before anything is done", async () => {
  const tasks: OwnerTask[] = [
    { type: "snapCreate", id, name: "s", namespace: unknown, flags: 0 },
    { type: "snapCreate", id, name: "s", namespace: { type: "user" }, flags: 4 },
    { type: "snapRemove", id, name: "s", namespace: unknown },
    { type: "snapRename", id, name: "s", namespace: mirror, snapId: 4 },
    { type: "snapProtect", id, name: "s", namespace: mirror },
    // There are no journals.
    { type: "updateFeatures", id, features: 64, enable: false },
  ];
  for (const task of tasks) {
    await assert.rejects(carryOut({} as OpenImage, task), { code: "SIPHON_RBD_UNSUPPORTED", errno: -95 });
  }
});
