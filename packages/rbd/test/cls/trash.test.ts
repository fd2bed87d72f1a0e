import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader } from "@siphon/wire";
import { addToTrash, getTrashed, type TrashedImage } from "../../src/cls/trash.ts";

test("what is put into the trash is read back as it was", () => {
  const image: TrashedImage = {
    ...{ source: "user_parent", name: "disk", state: "moving" },
    ...{ trashed: new Date("2026-11-23T01:40:10.500Z"), keptUntil: new Date("2030-01-01T00:00:00Z") },
  };
  const input = new Reader(addToTrash("1022499773f9", image).input, "trash_add");
  assert.equal(input.string(), "1022499773f9");
  assert.deepEqual(getTrashed("1022499773f9").decode(input.raw(input.remaining)), image);
});
