import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { pieces } from "../../src/transfer/pieces.ts";
import { SpareBuffers } from "../../src/transfer/spare-buffers.ts";

test("pieces have the size asked for, whatever the portions", async () => {
  const portions = fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 9 });
  await fc.assert(
    fc.asyncProperty(portions, fc.integer({ min: 1, max: 20 }), async (parts, size) => {
      const all = Buffer.concat(parts);
      const stream = (async function* () {
        for (const part of parts) yield Buffer.from(part);
      })();
      const result: Buffer[] = [];
      for await (const piece of pieces(stream, size, new SpareBuffers())) result.push(piece);
      assert.deepEqual(Buffer.concat(result), all);
      assert.ok(result.slice(0, -1).every((piece) => piece.length === size));
      assert.equal(result.length, Math.ceil(all.length / size));
    }),
  );
});
