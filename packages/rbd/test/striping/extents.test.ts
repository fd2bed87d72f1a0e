import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ObjectExtents } from "../../src/striping/extents.ts";
import { Layout } from "../../src/striping/layout.ts";

const layouts = fc
  .record({ unitBits: fc.nat(3), units: fc.nat(3), stripeCount: fc.integer({ min: 1, max: 5 }) })
  .map(({ unitBits, units, stripeCount }) => {
    const stripeUnit = 1 << unitBits;
    return new Layout({ stripeUnit, stripeCount, objectSize: stripeUnit << units });
  });
const cases = fc.tuple(layouts, fc.nat(300), fc.integer({ min: 1, max: 200 }));

/** Follows the definition byte by byte: a stripe unit to each object of the set in turn, then the next row. */
function naive({ objectSize, stripeUnit, stripeCount }: Layout, offset: number) {
  const unit = Math.floor(offset / stripeUnit);
  const stripe = Math.floor(unit / stripeCount);
  const set = Math.floor(stripe / (objectSize / stripeUnit));
  const row = stripe % (objectSize / stripeUnit);
  return {
    objectNumber: set * stripeCount + (unit % stripeCount),
    objectOffset: row * stripeUnit + (offset % stripeUnit),
  };
}

function collect(layout: Layout, offset: number, length: number) {
  const extents = new ObjectExtents();
  const found: { objectNumber: number; objectOffset: number; length: number }[] = [];
  extents.start(layout, offset, length);
  while (extents.next()) {
    const { objectNumber, objectOffset, length } = extents;
    found.push({ objectNumber, objectOffset, length });
  }
  return found;
}

test("an extent of the image is one extent of each object, with exactly the bytes of the definition", () => {
  fc.assert(
    fc.property(cases, ([layout, offset, length]) => {
      const found = collect(layout, offset, length);
      const bytes = found.flatMap(({ objectNumber, objectOffset, length }) =>
        Array.from({ length }, (_, i) => `${objectNumber}:${objectOffset + i}`),
      );
      const expected = Array.from({ length }, (_, i) => {
        const { objectNumber, objectOffset } = naive(layout, offset + i);
        return `${objectNumber}:${objectOffset}`;
      });
      assert.deepEqual(bytes.sort(), expected.sort());
      assert.equal(new Set(found.map(({ objectNumber }) => objectNumber)).size, found.length);
    }),
  );
});

test("a byte of an object is where the image has it, and so are those of its run", () => {
  fc.assert(
    fc.property(layouts, fc.nat(500), (layout, offset) => {
      const { objectNumber, objectOffset } = naive(layout, offset);
      const run = layout.run(objectOffset);
      assert.ok(run > 0);
      for (let i = 0; i < run; i++) {
        assert.equal(layout.imageOffset(objectNumber, objectOffset + i), offset + i);
      }
    }),
  );
});

test("the bytes of an image that are an object's are counted", () => {
  fc.assert(
    fc.property(layouts, fc.nat(300), (layout, size) => {
      const counts = new Map<number, number>();
      for (let offset = 0; offset < size; offset++) {
        const { objectNumber } = naive(layout, offset);
        counts.set(objectNumber, (counts.get(objectNumber) ?? 0) + 1);
      }
      assert.equal(layout.objectCount(size), size === 0 ? 0 : Math.max(...counts.keys()) + 1);
      for (let n = 0; n < layout.objectCount(size) + 2; n++) {
        assert.equal(layout.bytesOf(n, size), counts.get(n) ?? 0);
      }
    }),
  );
});

test("offsets beyond 32 bits are cut where they should be", () => {
  const layout = new Layout({ objectSize: 1 << 22, stripeUnit: 1 << 22, stripeCount: 1 });
  const tebibytes = 5 * 2 ** 40;
  assert.deepEqual(collect(layout, tebibytes - 10, 30), [
    { objectNumber: tebibytes / 2 ** 22 - 1, objectOffset: 2 ** 22 - 10, length: 10 },
    { objectNumber: tebibytes / 2 ** 22, objectOffset: 0, length: 20 },
  ]);
});
