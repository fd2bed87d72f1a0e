import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { Payload, SegmentPool } from "../../src/nbd/payload.ts";

test("bytes that arrive in any portions are read back from any position", () => {
  const payload = new Payload(new SegmentPool());
  const bytes = randomBytes(700_001);
  payload.expect(bytes.length);
  for (let at = 0; at < bytes.length; at += 99_991) {
    payload.append(bytes, at, Math.min(bytes.length, at + 99_991));
  }
  for (const [position, length] of [
    [0, bytes.length],
    [262_143, 2],
    [262_144, 300_000],
    [700_000, 1],
  ] as const) {
    const into = Buffer.alloc(length + 3);
    payload.copyTo(into, 3, position, length);
    assert.ok(into.subarray(3).equals(bytes.subarray(position, position + length)));
  }
});

test("memory is taken as bytes arrive, and used again for the next payload of its size", () => {
  const taken: number[] = [];
  class Counting extends SegmentPool {
    override take(length: number): Buffer {
      const segment = super.take(length);
      taken.push(segment.length);
      return segment;
    }
  }
  const payload = new Payload(new Counting());
  payload.expect(32 << 20);
  assert.deepEqual(taken, []);
  payload.append(Buffer.alloc(300_000), 0, 300_000);
  assert.deepEqual(taken, [256 << 10, 256 << 10]);
  payload.clear();
  payload.expect(5000);
  payload.append(Buffer.alloc(5000), 0, 5000);
  assert.equal(taken.at(-1), 8192);
});
