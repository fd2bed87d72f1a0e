import assert from "node:assert/strict";
import { test } from "node:test";
import { crushLnTable } from "../../src/crush/ln.ts";

// Every bit of it is tested by the placements that rest on it.

test("the table is about 2^44 times the logarithm to base 2, in negative integers from -2^48 up", () => {
  const table = crushLnTable();
  assert.equal(table[0], -(2 ** 48));
  for (let u = 0; u < 0x10000; u++) {
    const exact = 2 ** 44 * Math.log2(u + 1) - 2 ** 48;
    assert.ok(Number.isInteger(table[u]!) && table[u]! < 0, `${u}`);
    assert.ok(Math.abs(table[u]! - exact) < 2 ** 30, `${u}`);
  }
});
