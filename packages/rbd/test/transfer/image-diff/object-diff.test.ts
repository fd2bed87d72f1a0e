import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_SNAP, type SnapSet } from "@siphon/rados";
import { objectDiff } from "../../../src/transfer/image-diff/object-diff.ts";

const objectSize = 1000;

/** Written before snapshot 3, changed from 100 to 200 before 5, then cut to 300 bytes. */
const object: SnapSet = {
  seq: 5,
  clones: [
    {
      id: 3,
      snaps: [3],
      size: 400,
      overlap: [
        { offset: 0, length: 100 },
        { offset: 200, length: 200 },
      ],
    },
    { id: 5, snaps: [4, 5], size: 400, overlap: [{ offset: 0, length: 300 }] },
    { id: NO_SNAP, snaps: [], size: 300, overlap: [] },
  ],
};

test("from nothing, all bytes there were at a snapshot were written", () => {
  assert.deepEqual(objectDiff(object, 0, 3, objectSize), { data: [{ start: 0, end: 400 }], zeros: [] });
  assert.deepEqual(objectDiff(object, 0, 2, objectSize), { data: [], zeros: [] });
});

test("between snapshots, what the clones do not share was written", () => {
  assert.deepEqual(objectDiff(object, 3, 5, objectSize), { data: [{ start: 100, end: 200 }], zeros: [] });
  assert.deepEqual(objectDiff(object, 4, 5, objectSize), { data: [], zeros: [] });
});

test("what was cut off became zeros", () => {
  const zeros = [{ start: 300, end: 400 }];
  assert.deepEqual(objectDiff(object, 5, NO_SNAP, objectSize), { data: [], zeros });
  assert.deepEqual(objectDiff(object, 3, NO_SNAP, objectSize), { data: [{ start: 100, end: 200 }], zeros });
});

test("what was written and cut off again is left out: it reads as zeros, before and after", () => {
  assert.deepEqual(objectDiff(object, 0, NO_SNAP, objectSize), { data: [{ start: 0, end: 300 }], zeros: [] });
});

test("an object that was removed became zeros, whatever happened before", () => {
  const removed = { seq: 5, clones: object.clones.slice(0, 2) };
  const zeros = [{ start: 0, end: 400 }];
  assert.deepEqual(objectDiff(removed, 3, NO_SNAP, objectSize), { data: [], zeros });
  assert.deepEqual(objectDiff(removed, 0, NO_SNAP, objectSize), { data: [], zeros: [] });
});

test("as whole objects, one changed byte is as good as all", () => {
  assert.deepEqual(objectDiff(object, 3, 5, objectSize, true), {
    data: [{ start: 0, end: objectSize }],
    zeros: [],
  });
  assert.deepEqual(objectDiff(object, 4, 5, objectSize, true), { data: [], zeros: [] });
});

test("of an object whose clones are not known all may have changed", () => {
  const unknown = { seq: 5, clones: [{ id: 3, snaps: [], size: 400, overlap: [] }] };
  assert.deepEqual(objectDiff(unknown, 3, NO_SNAP, objectSize).data, [{ start: 0, end: objectSize }]);
});
