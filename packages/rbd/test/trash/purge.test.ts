import assert from "node:assert/strict";
import { test } from "node:test";
import { RbdError } from "../../src/errors.ts";
import { purgeTrash } from "../../src/trash/purge.ts";
import type { Trash, TrashEntry } from "../../src/trash/trash.ts";

/** A trash with images, each with those that are removed along with it. */
function trashOf(images: Record<string, string[]>, refused: Record<string, RbdError> = {}) {
  const entries = new Map(Object.keys(images).map((id) => [id, entryOf(id)]));
  const removed: string[] = [];
  const trash = {
    get: async (id: string) => {
      const found = entries.get(id);
      if (found === undefined) throw new RbdError("SIPHON_RBD_NO_IMAGE", `no image ${id}`);
      return found;
    },
    remove: async (id: string) => {
      if (refused[id] !== undefined) throw refused[id];
      removed.push(id);
      for (const gone of [id, ...images[id]!]) entries.delete(gone);
    },
  } as unknown as Trash;
  return { trash, entries, removed, all: [...entries.values()] };
}

function entryOf(id: string, keptUntil = new Date(0)): TrashEntry {
  return { id, name: id, source: "user", state: "normal", trashed: new Date(0), keptUntil };
}

test("a parent that goes with its last clone, and what somebody else removed, are as good as purged", async () => {
  for (const order of [
    { clone: ["parent"], parent: [] },
    { parent: [], clone: ["parent"] },
  ]) {
    const rig = trashOf(order, {});
    const isBusy = new RbdError("SIPHON_RBD_BUSY", "it has clones");
    const remove = rig.trash.remove.bind(rig.trash);
    rig.trash.remove = async (id) => {
      if (id === "parent" && rig.entries.has("clone")) throw isBusy;
      return remove(id);
    };
    const told: number[] = [];
    assert.deepEqual(await purgeTrash(rig, rig.all, (done) => told.push(done)), []);
    assert.deepEqual(rig.removed, ["clone"]);
    assert.deepEqual(told, [1, 2]);
  }
});

test("what is put into the trash again after it was chosen stays, whatever its time was before", async () => {
  const rig = trashOf({ a: [], b: [] });
  rig.entries.set("a", entryOf("a", new Date(2 ** 41)));
  assert.deepEqual(await purgeTrash(rig, rig.all), []);
  assert.deepEqual(rig.removed, ["b"]);
});

test("what cannot be removed is told, and the others go", async () => {
  const error = new RbdError("SIPHON_RBD_BUSY", "somebody has it open");
  const rig = trashOf({ a: [], b: [] }, { a: error });
  assert.deepEqual(await purgeTrash(rig, rig.all), [{ entry: rig.all[0], error }]);
  assert.deepEqual(rig.removed, ["b"]);
});
