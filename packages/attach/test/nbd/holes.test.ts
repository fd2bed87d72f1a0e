import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Holes } from "../../src/nbd/holes.ts";

test("zero ranges are those added and not removed since, sorted and disjoint", () => {
  const step = fc.record({ adds: fc.boolean(), start: fc.nat(40), length: fc.integer({ min: 1, max: 20 }) });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const holes = new Holes();
      const model = new Array<boolean>(64).fill(false);
      for (const { adds, start, length } of steps) {
        if (adds) holes.add(start, start + length);
        else holes.remove(start, start + length);
        model.fill(adds, start, start + length);
      }
      const seen = new Array<boolean>(64).fill(false);
      for (let i = 0; i < holes.count; i++) {
        assert.ok(holes.starts[i]! < holes.ends[i]!);
        assert.ok(i === 0 || holes.ends[i - 1]! < holes.starts[i]!);
        seen.fill(true, holes.starts[i], holes.ends[i]);
      }
      assert.deepEqual(seen, model);
    }),
  );
});
