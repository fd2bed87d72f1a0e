import assert from "node:assert/strict";
import { test } from "node:test";
import { SpareBuffers } from "../../src/transfer/spare-buffers.ts";

test("a buffer that was given back is used again, whole, also if only its beginning was", () => {
  const buffers = new SpareBuffers();
  const first = buffers.take(100);
  buffers.give(first.subarray(0, 40));
  const second = buffers.take(100);
  assert.equal(second.buffer, first.buffer);
  assert.equal(second.length, 100);
  assert.notEqual(buffers.take(100).buffer, first.buffer);
});

test("a spare buffer that is too small is not used", () => {
  const buffers = new SpareBuffers();
  const small = buffers.take(10);
  buffers.give(small);
  const large = buffers.take(1024 * 1024);
  assert.equal(large.length, 1024 * 1024);
  assert.notEqual(large.buffer, small.buffer);
});
