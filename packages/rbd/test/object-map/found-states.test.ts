import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_SNAP, type SnapSet } from "@siphon/rados";
import { stateOf } from "../../src/object-map/found-states.ts";
import { objectState } from "../../src/object-map/object-state.ts";

const clone = (id: number, snaps: number[]) => ({ id, snaps, overlap: [], size: 1 });
const head = clone(NO_SNAP, []);
const of = (snapSet: SnapSet, snapId: number, snapIds: number[], fastDiff = true) =>
  stateOf(snapSet, snapId, snapIds, fastDiff);

test("an object that was written since the last snapshot exists, and one that was not is clean", () => {
  assert.equal(of({ clones: [head], seq: 4 } as SnapSet, NO_SNAP, [4]), objectState.exists);
  assert.equal(of({ clones: [head], seq: 3 } as SnapSet, NO_SNAP, [4]), objectState.existsClean);
  assert.equal(of({ clones: [head], seq: 3 } as SnapSet, NO_SNAP, [4], false), objectState.exists);
});

test("an object that came after a snapshot does not exist in it", () => {
  assert.equal(of({ clones: [head], seq: 4 } as SnapSet, 4, [4]), objectState.nonexistent);
});

test("a clone exists in the first of its snapshots, and is clean in the others", () => {
  const snapSet = { clones: [clone(6, [4, 6]), head], seq: 6 } as SnapSet;
  assert.equal(of(snapSet, 4, [4, 6]), objectState.exists);
  assert.equal(of(snapSet, 6, [4, 6]), objectState.existsClean);
  assert.equal(of(snapSet, 6, [6]), objectState.exists);
});

test("an object that was removed exists in its snapshots only", () => {
  const snapSet = { clones: [clone(4, [4])], seq: 4 } as SnapSet;
  assert.equal(of(snapSet, NO_SNAP, [4]), objectState.nonexistent);
  assert.equal(of(snapSet, 4, [4]), objectState.exists);
});
