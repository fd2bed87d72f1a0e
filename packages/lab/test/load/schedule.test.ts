import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { interleave } from "../../src/load/schedule.ts";

test("every item runs once in every repeat, and repeats follow each other", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 8 }),
      fc.nat(),
      (items, repeats, seed) => {
        const schedule = interleave(items, repeats, seed);
        for (let repeat = 0; repeat < repeats; repeat++) {
          const round = schedule.slice(repeat * items.length, (repeat + 1) * items.length);
          assert.ok(round.every((each) => each.repeat === repeat));
          assert.deepEqual(round.map(({ item }) => item).sort(), [...items].sort());
        }
        assert.equal(schedule.length, items.length * repeats);
      },
    ),
  );
});

test("the seed decides the order: the same again, another with another", () => {
  const items = ["a", "b", "c", "d", "e", "f"];
  assert.deepEqual(interleave(items, 5, 7), interleave(items, 5, 7));
  assert.notDeepEqual(interleave(items, 5, 7), interleave(items, 5, 8));
  const orders = new Set(
    Array.from({ length: 5 }, (_, repeat) =>
      interleave(items, 5, 7)
        .filter((each) => each.repeat === repeat)
        .map(({ item }) => item)
        .join(""),
    ),
  );
  assert.ok(orders.size > 1, "repeats differ in order");
});
