import assert from "node:assert/strict";
import { test } from "node:test";
import { giveSectors, takeSectors } from "../../src/encryption/sector-buffers.ts";

test("memory that was given back is given again, to who needs as much or less", () => {
  const memory = takeSectors(70_000);
  assert.equal(memory.length, 131_072);
  giveSectors(memory);
  assert.equal(takeSectors(100_000), memory);
  assert.notEqual(takeSectors(100_000), memory);
});

test("of the memory that was given back 32 MiB are kept", () => {
  const all = Array.from({ length: 20 }, () => takeSectors(4 << 20));
  for (const memory of all) giveSectors(memory);
  const again = new Set(Array.from({ length: 20 }, () => takeSectors(4 << 20)));
  assert.equal(all.filter((memory) => again.has(memory)).length, 8);
});

test("what is larger than 4 MiB is made for its request alone", () => {
  const memory = takeSectors((4 << 20) + 512);
  assert.equal(memory.length, (4 << 20) + 512);
  giveSectors(memory);
  assert.notEqual(takeSectors((4 << 20) + 512), memory);
});
