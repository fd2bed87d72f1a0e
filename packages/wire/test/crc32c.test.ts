import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ChecksumBuffer, crc32c } from "../src/crc32c.ts";
import { crc32cByTable } from "../src/crc32c-table.ts";

test("matches the vectors of Ceph's own test_crc32c", () => {
  const foo = Buffer.from("foo bar baz");
  assert.equal(crc32c(0, foo), 4119623852);
  assert.equal(crc32c(1234, foo), 881700046);
  const whiz = Buffer.from("whiz bang boom");
  assert.equal(crc32c(0, whiz), 2360230088);
  assert.equal(crc32c(5678, whiz), 3743019208);
  const ones = Buffer.alloc(4096000, 1);
  assert.equal(crc32c(0, ones), 31583199);
  assert.equal(crc32c(1234, ones), 1400919119);
});

test("the check value of the CRC catalogue: 123456789", () => {
  assert.equal(~crc32c(0xffffffff, Buffer.from("123456789")) >>> 0, 0xe3069283);
});

test("the kernel agrees with the tables at every length and alignment", () => {
  const buffer = new ChecksumBuffer(150_100);
  // So much that the kernel is started.
  buffer.crc32c(0, 0, buffer.bytes.length);
  for (let i = 0; i < buffer.bytes.length; i++) buffer.bytes[i] = Math.imul(i, 2654435761) >>> 13;
  // Around where each way of folding begins, and where its memory is full once or more often.
  const turns = [8192, 8624, 16_384, 22_528, 24_576, 24_994, 30_000, 32_768, 43_728, 62_880, 65_536, 149_980];
  const around = turns.flatMap((length) => [-17, -16, -15, -1, 0, 1, 15, 16].map((more) => length + more));
  const lengths = [...Array(2048).keys(), ...around];
  for (const length of lengths) {
    const start = length % 10;
    const end = start + length;
    assert.equal(
      buffer.crc32c(length, start, end),
      crc32cByTable(length, buffer.bytes, start, end),
      `${length} bytes`,
    );
  }
});

test("the kernel agrees with the tables up to the last byte of its memory", () => {
  const buffer = new ChecksumBuffer(65536 - 16);
  buffer.bytes.fill(0xa5);
  const expected = crc32cByTable(7, buffer.bytes, 0, buffer.bytes.length);
  assert.equal(buffer.crc32c(7, 0, buffer.bytes.length), expected);
});

test("a checksum taken in two parts is the checksum of the whole", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 6000, size: "max" }),
      fc.nat(),
      fc.nat(0xffffffff),
      (bytes, cut, seed) => {
        const middle = bytes.length === 0 ? 0 : cut % bytes.length;
        const whole = crc32c(seed, bytes);
        assert.equal(crc32c(crc32c(seed, bytes, 0, middle), bytes, middle), whole);
        assert.equal(crc32cByTable(seed, bytes, 0, bytes.length), whole);
      },
    ),
  );
});

test("a range outside the buffer is refused", () => {
  const buffer = new ChecksumBuffer(100);
  assert.throws(() => buffer.crc32c(0, 50, 101), RangeError);
  assert.throws(() => buffer.crc32c(0, -1, 10), RangeError);
});
