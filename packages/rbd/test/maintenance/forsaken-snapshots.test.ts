import assert from "node:assert/strict";
import { test } from "node:test";
import { RbdError } from "../../src/errors.ts";
import { removeForsaken, removeIfForsaken } from "../../src/maintenance/forsaken-snapshots.ts";
import type { MaintainedImage } from "../../src/maintenance/maintained-image.ts";

const user = { type: "user" } as const;
const trash = { type: "trash", originalName: "s" } as const;

/** An image with snapshots of each kind, whose owner answers with `error`, if there is one. */
function open(error?: Error) {
  const removed: string[] = [];
  const snapshots = [
    { id: 1, name: "kept", namespace: user, childCount: 0 },
    { id: 2, name: "cloned", namespace: trash, childCount: 1 },
    { id: 3, name: "forsaken", namespace: trash, childCount: 0 },
  ];
  const requests = {
    newId: async () => ({ gid: 1n, handle: 1n, request: 1n }),
    perform: async ({ name }: { name: string }) => {
      removed.push(name);
      if (error !== undefined) throw error;
    },
  };
  const header = { snapshots: new Map(snapshots.map((each) => [each.id, each])) };
  return { image: { header, requests } as unknown as MaintainedImage, removed };
}

test("of the snapshots in the trash those without clones are removed, and no others", async () => {
  const { image, removed } = open();
  await removeForsaken(image);
  assert.deepEqual(removed, ["forsaken"]);
  await removeIfForsaken(image, 4);
  assert.equal(removed.length, 1);
});

test("a snapshot that somebody else removed from the trash meanwhile is gone; any other error is told", async () => {
  const gone = new RbdError("SIPHON_RBD_NO_SNAPSHOT", "it is not there");
  for (const error of [gone, new RbdError("SIPHON_RBD_REFUSED", "not there", { errno: -2 })]) {
    const { image, removed } = open(error);
    await removeIfForsaken(image, 3);
    assert.deepEqual(removed, ["forsaken"]);
  }
  const busy = new RbdError("SIPHON_RBD_BUSY", "it has clones", { errno: -16 });
  await assert.rejects(removeIfForsaken(open(busy).image, 3), busy);
});
