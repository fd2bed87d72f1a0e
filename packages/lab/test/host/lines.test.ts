import assert from "node:assert/strict";
import { test } from "node:test";
import { Lines } from "../../src/host/lines.ts";

test("lines come out whole, however the bytes are cut", () => {
  const text = "first\n\nüber drei\r\nlast without end";
  const bytes = Buffer.from(text);
  for (const size of [1, 2, 3, 7, 100]) {
    const seen: string[] = [];
    const lines = new Lines((line) => seen.push(line));
    for (let at = 0; at < bytes.length; at += size) lines.push(bytes.subarray(at, at + size));
    assert.deepEqual(seen, ["first", "", "über drei"]);
  }
});
