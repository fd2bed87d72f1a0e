import assert from "node:assert/strict";
import { test } from "node:test";
import { proportionalMemory } from "../../src/host/memory.ts";

test("memory that this process touches is in its share", () => {
  const before = proportionalMemory(process.pid)!;
  const touched = Buffer.alloc(64 * 2 ** 20, 1);
  const grown = proportionalMemory(process.pid)! - before;
  assert.ok(grown > 0.8 * touched.length, `${grown} of ${touched.length}`);
});

test("of a process that is not there nothing is known", () => {
  assert.equal(proportionalMemory(2 ** 22 + 1), undefined);
});
