import assert from "node:assert/strict";
import { test } from "node:test";
import { formatSize, parseSize } from "../../src/ladder/size.ts";

test("sizes are read as fio and qemu-img write them", () => {
  assert.equal(parseSize("16k"), 16_384);
  assert.equal(parseSize("4M"), 4 * 2 ** 20);
  assert.equal(parseSize("20GiB"), 20 * 2 ** 30);
  assert.equal(parseSize("512"), 512);
  for (const bad of ["", "16q", "-1k", "0", "1.5G", "k"])
    assert.throws(() => parseSize(bad), /is no size/, bad);
});

test("sizes are shown in the largest unit that fits", () => {
  assert.equal(formatSize(16_384), "16 KiB");
  assert.equal(formatSize(1.5 * 2 ** 30), "1.5 GiB");
  assert.equal(formatSize(0), "0 B");
});
