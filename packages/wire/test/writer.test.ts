import assert from "node:assert/strict";
import { test } from "node:test";
import { WireError } from "../src/wire-error.ts";
import { Writer } from "../src/writer.ts";

test("the buffer grows and keeps what was written", () => {
  const w = new Writer(1);
  for (let i = 0; i < 1000; i++) w.u32(i);
  const bytes = w.finish();
  assert.equal(bytes.length, 4000);
  assert.equal(bytes.readUInt32LE(999 * 4), 999);
});

test("a versioned struct carries the length of its body, nested ones too", () => {
  const bytes = new Writer().versioned(3, 2, (w) => w.u8(0xaa).versioned(1, 1, () => w.u16(0xbbcc))).finish();
  assert.equal(bytes.toString("hex"), "030209000000" + "aa" + "010102000000" + "ccbb");
});

test("the length of text is that of its UTF-8 bytes", () => {
  assert.equal(new Writer().string("é").finish().toString("hex"), "02000000c3a9");
});

test("negative numbers are written in two's complement", () => {
  assert.equal(new Writer().i32(-2).finish().toString("hex"), "feffffff");
  assert.equal(new Writer().u64(-2).finish().toString("hex"), "feffffffffffffff");
  assert.equal(new Writer().u64(-2n).finish().toString("hex"), "feffffffffffffff");
});

test("a number that is no safe integer is refused as 64 bits", () => {
  assert.throws(() => new Writer().u64(2 ** 53), WireError);
  assert.throws(() => new Writer().u64(0.5), WireError);
});

test("a reset writer starts over in the same memory", () => {
  const w = new Writer();
  const first = w.u32(1).finish();
  w.reset().u32(2);
  assert.equal(first.readUInt32LE(0), 2);
  assert.equal(w.length, 4);
});
