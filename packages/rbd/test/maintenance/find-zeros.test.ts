import assert from "node:assert/strict";
import { test } from "node:test";
import { endOfData } from "../../src/maintenance/find-zeros.ts";
import { assertSparseSize } from "../../src/maintenance/sparsify.ts";

const block = 4096;

test("an object can end behind its last block with data, wherever its extents are", () => {
  const data = Buffer.alloc(4 * block);
  data[block + 5] = 1;
  const whole = [{ offset: 0, length: 4 * block }];
  assert.equal(endOfData({ extents: whole, data }, block), 2 * block);
  assert.equal(endOfData({ extents: whole, data }, 4 * block), 4 * block);
  const two = [
    { offset: 0, length: 2 * block },
    { offset: 8 * block, length: 2 * block },
  ];
  assert.equal(endOfData({ extents: two, data }, block), 2 * block);
  data[4 * block - 1] = 1;
  assert.equal(endOfData({ extents: two, data }, block), 10 * block);
});

test("an object of zeros ends where it starts, and one cut off within a block behind that", () => {
  const odd = (length: number) => [{ offset: 0, length }];
  assert.equal(endOfData({ extents: odd(5000), data: Buffer.alloc(5000) }, block), 0);
  assert.equal(endOfData({ extents: [], data: Buffer.alloc(0) }, block), 0);
  assert.equal(endOfData({ extents: odd(5000), data: Buffer.alloc(5000, 1) }, block), 2 * block);
});

test("a sparse size is a power of two from 4 KiB to an object", () => {
  for (const size of [4096, 65_536, 2 ** 22]) assertSparseSize({ objectSize: 2 ** 22 }, size);
  for (const size of [0, 512, 5000, 2 ** 23]) {
    assert.throws(() => assertSparseSize({ objectSize: 2 ** 22 }, size), { errno: -22 });
  }
});
