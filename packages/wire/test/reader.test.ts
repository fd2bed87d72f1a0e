import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Reader } from "../src/reader.ts";
import { WireError, type WireErrorCode } from "../src/wire-error.ts";
import { Writer } from "../src/writer.ts";

test("every field that is written is read back", () => {
  fc.assert(
    fc.property(
      fc.nat(0xff),
      fc.nat(0xffff),
      fc.nat(0xffffffff),
      fc.integer(),
      fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      fc.maxSafeInteger(),
      fc.double(),
      fc.string({ unit: "grapheme" }),
      fc.uint8Array(),
      fc.array(fc.string()),
      (u8, u16, u32, i32, u64, safe, f64, text, blob, list) => {
        const bytes = new Writer(1)
          .u8(u8)
          .u16(u16)
          .u32(u32)
          .i32(i32)
          .u64(u64)
          .u64(safe)
          .f64(f64)
          .string(text)
          .blob(blob)
          .list(list, (w, item) => w.string(item))
          .finish();
        const r = new Reader(bytes);
        assert.equal(r.u8(), u8);
        assert.equal(r.u16(), u16);
        assert.equal(r.u32(), u32);
        assert.equal(r.i32(), i32);
        assert.equal(r.u64(), u64);
        assert.equal(r.i64Number(), safe);
        assert.equal(r.f64(), f64);
        assert.equal(r.string(), text);
        assert.deepEqual([...r.blob()], [...blob]);
        assert.deepEqual(
          r.list(4, () => r.string()),
          list,
        );
        assert.equal(r.remaining, 0);
      },
    ),
  );
});

test("integers are little-endian", () => {
  const bytes = Buffer.from("0102030405060708", "hex");
  assert.equal(new Reader(bytes).u16(), 0x0201);
  assert.equal(new Reader(bytes).u32(), 0x04030201);
  assert.equal(new Reader(bytes).u64(), 0x0807060504030201n);
});

test("a 64-bit number that a double cannot hold is refused, not rounded", () => {
  const tooLarge = new Writer().u64(1n << 53n).finish();
  refused("SIPHON_WIRE_MALFORMED", () => new Reader(tooLarge).u64Number());
  const largest = new Writer().u64((1n << 53n) - 1n).finish();
  assert.equal(new Reader(largest).u64Number(), Number.MAX_SAFE_INTEGER);
  assert.equal(new Reader(new Writer().u64(-5).finish()).i64Number(), -5);
});

test("a field that runs past the end is refused", () => {
  const r = new Reader(Buffer.from([1, 2, 3]));
  refused("SIPHON_WIRE_TRUNCATED", () => r.u32());
  refused("SIPHON_WIRE_TRUNCATED", () => r.u64());
  refused("SIPHON_WIRE_TRUNCATED", () => r.raw(4));
  assert.equal(r.raw(3).length, 3);
});

test("a count that the rest of the input cannot hold is refused before the list is made", () => {
  const hostile = new Writer().u32(0xffffffff).zeros(8).finish();
  refused("SIPHON_WIRE_TRUNCATED", () => new Reader(hostile).list(1, (r) => r.u8()));
  refused("SIPHON_WIRE_TRUNCATED", () => new Reader(hostile).blob());
  refused("SIPHON_WIRE_TRUNCATED", () => new Reader(hostile).string());
});

test("fields of a newer version of a struct are skipped by its length", () => {
  const bytes = new Writer()
    .versioned(9, 1, (w) => w.u32(7).string("a field of the future"))
    .u8(42)
    .finish();
  const r = new Reader(bytes);
  const seen = r.versioned("thing", 3, (_, version) => [version, r.u32()]);
  assert.deepEqual(seen, [9, 7]);
  assert.equal(r.u8(), 42);
});

test("a struct that older readers would misread is refused by its name", () => {
  const bytes = new Writer().versioned(9, 4, (w) => w.u32(7)).finish();
  assert.throws(
    () => new Reader(bytes).versioned("pg_pool_t", 3, () => 0),
    (error) =>
      error instanceof WireError &&
      error.code === "SIPHON_WIRE_INCOMPATIBLE" &&
      /pg_pool_t.*version 4.*version 3/.test(error.message),
  );
});

test("a struct cannot be read past its own end, nor be longer than what holds it", () => {
  const short = new Writer()
    .versioned(1, 1, (w) => w.u8(1))
    .u32(5)
    .finish();
  refused("SIPHON_WIRE_TRUNCATED", () => new Reader(short).versioned("short", 1, (r) => r.u32()));
  const long = new Writer().u8(1).u8(1).u32(100).finish();
  refused("SIPHON_WIRE_TRUNCATED", () => new Reader(long).versioned("long", 1, () => 0));
});

test("a struct from before compat versions and lengths is read by the old rules", () => {
  const legacy = { compatSince: 5, lengthSince: 5 };
  const r = new Reader(new Writer().u8(4).u32(11).u8(5).u8(5).u32(4).u32(12).finish());
  const read = () => r.versioned("pg_stat_t", 6, () => r.u32(), legacy);
  assert.equal(read(), 11);
  assert.equal(read(), 12);
  assert.equal(r.remaining, 0);
});

function refused(code: WireErrorCode, act: () => unknown): void {
  assert.throws(act, (error) => error instanceof WireError && error.code === code);
}
