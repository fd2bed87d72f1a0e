import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader } from "../src/reader.ts";
import { readUtime, utimeFromMilliseconds, utimeToMilliseconds, writeUtime } from "../src/utime.ts";
import { Writer } from "../src/writer.ts";

test("a time is seconds and nanoseconds, 32 bits each", () => {
  const w = new Writer();
  writeUtime(w, { seconds: 0x01020304, nanoseconds: 999_999_999 });
  assert.equal(w.finish().toString("hex"), "04030201ffc99a3b");
  assert.deepEqual(readUtime(new Reader(w.finish())), { seconds: 0x01020304, nanoseconds: 999_999_999 });
});

test("milliseconds become a time and come back", () => {
  const time = utimeFromMilliseconds(1_700_000_000_123.5);
  assert.deepEqual(time, { seconds: 1_700_000_000, nanoseconds: 123_500_000 });
  assert.equal(utimeToMilliseconds(time), 1_700_000_000_123.5);
});
