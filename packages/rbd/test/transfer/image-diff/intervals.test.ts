import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { clip, type Interval, subtract, union } from "../../../src/transfer/image-diff/intervals.ts";

const interval = fc.tuple(fc.nat(40), fc.nat(9)).map(([start, length]) => ({ start, end: start + length }));
const intervals = fc.array(interval, { maxLength: 8 });

test("intervals are what sets of bytes are, in order and with gaps between them", () => {
  fc.assert(
    fc.property(intervals, intervals, interval, (some, others, part) => {
      const [a, b] = [union(some), union(others)];
      assert.deepEqual(bytesOf(a), bytesOf(some));
      assert.deepEqual(
        bytesOf(subtract(a, b)),
        bytesOf(a).filter((byte) => !bytesOf(b).includes(byte)),
      );
      assert.deepEqual(
        bytesOf(clip(a, part.start, part.end)),
        bytesOf(a).filter((byte) => byte >= part.start && byte < part.end),
      );
      for (const result of [a, subtract(a, b), clip(a, part.start, part.end)]) {
        assert.ok(result.every(({ start, end }, n) => start < end && start > (result[n - 1]?.end ?? -1)));
      }
    }),
  );
});

function bytesOf(all: readonly Interval[]): number[] {
  const bytes = all.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, n) => start + n));
  return [...new Set(bytes)].sort((x, y) => x - y);
}
