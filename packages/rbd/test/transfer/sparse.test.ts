import assert from "node:assert/strict";
import { test } from "node:test";
import { sparseRuns } from "../../src/transfer/sparse.ts";
import { isZeros } from "../../src/zeros.ts";

test("runs of blocks are zeros or not, and cover all bytes", () => {
  const bytes = Buffer.alloc(10);
  bytes[5] = 1;
  assert.deepEqual(
    [...sparseRuns(bytes, 2)],
    [
      { start: 0, end: 4, isZero: true },
      { start: 4, end: 6, isZero: false },
      { start: 6, end: 10, isZero: true },
    ],
  );
  assert.deepEqual(
    [...sparseRuns(bytes, 4)],
    [
      { start: 0, end: 4, isZero: true },
      { start: 4, end: 8, isZero: false },
      { start: 8, end: 10, isZero: true },
    ],
  );
});

test("with size 0 no zeros are searched for", () => {
  assert.deepEqual([...sparseRuns(Buffer.alloc(9), 0)], [{ start: 0, end: 9, isZero: false }]);
});

test("a single byte at any place of a large buffer is found", () => {
  const bytes = Buffer.alloc(200_000);
  assert.equal(isZeros(bytes), true);
  for (const at of [0, 1, 65_535, 65_536, 131_072, 199_999]) {
    bytes[at] = 1;
    assert.equal(isZeros(bytes), false, `byte ${at}`);
    assert.equal(isZeros(bytes, at + 1), true);
    assert.equal(isZeros(bytes, 0, at), true);
    bytes[at] = 0;
  }
});
