import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Scatter } from "../../../src/vhost/memory/scatter.ts";

test("reads and writes at any position go to the right pieces, in any order", () => {
  const pieces = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 12 });
  const spans = fc.array(fc.tuple(fc.nat(400), fc.nat(100)), { maxLength: 20 });
  fc.assert(
    fc.property(pieces, spans, (lengths, accesses) => {
      const total = lengths.reduce((sum, each) => sum + each, 0);
      fc.pre(total > 0);
      const buffers = lengths.map((length) => Buffer.alloc(length + 2, 0xee));
      const scatter = new Scatter();
      for (const [index, length] of lengths.entries()) scatter.add(buffers[index]!, 1, length, 0);
      assert.equal(scatter.length, total);
      const model = Buffer.alloc(total);
      scatter.writeZeros(0, total);
      for (const [index, [at, wanted]] of accesses.entries()) {
        const position = at % total;
        const length = Math.min(wanted, total - position);
        const bytes = Buffer.alloc(length + 3, index + 1);
        scatter.write(position, bytes, 1, 1 + length);
        model.fill(index + 1, position, position + length);
        const back = Buffer.alloc(total + 1);
        scatter.read(0, back, 1, total);
        assert.ok(back.subarray(1).equals(model));
      }
      assert.ok(buffers.every((buffer) => buffer[0] === 0xee && buffer.at(-1) === 0xee));
    }),
    { numRuns: 300 },
  );
});

test("a copy beyond the end is an error, never other memory", () => {
  const scatter = new Scatter();
  scatter.add(Buffer.alloc(100), 10, 20, 0);
  assert.throws(() => scatter.read(10, Buffer.alloc(100), 0, 11), RangeError);
  assert.throws(() => scatter.write(20, Buffer.alloc(1), 0, 1), RangeError);
});
