import assert from "node:assert/strict";
import { test } from "node:test";
import * as format from "../../src/report/format.ts";

/** With plain spaces, to be read. */
const plain = (text: string) => text.replaceAll("\u00a0", " ");

test("counts have thousands apart, and a decimal only when they are small", () => {
  assert.deepEqual([format.count(12_345.6), format.count(8.44), format.count(8)], ["12,346", "8.4", "8"]);
});

test("a change is a percentage, and from twice as much on a factor", () => {
  assert.deepEqual(
    [1.19, 0.91, 1.004, 1, 4.449, 51].map((ratio) => plain(format.change(ratio))),
    ["+19 %", "−9 %", "+0.4 %", "0 %", "4.4×", "51×"],
  );
});

test("the limits of a change are written as the change itself is", () => {
  assert.equal(plain(format.changeInterval({ median: 1.06, low: 0.94, high: 2.39 })), "−6 to +139 %");
  assert.equal(plain(format.changeInterval({ median: 4.4, low: 1.9, high: 4.6 })), "1.90 to 4.6×");
});

test("a comparison carries the sign of its verdict", () => {
  const ratio = { median: 0.9, low: 0.8, high: 0.95 };
  assert.equal(plain(format.changeMark({ against: "x", ratio, verdict: "slower" })), "▼ −10 %");
  assert.equal(plain(format.changeMark({ against: "x", ratio, verdict: "too few repeats" })), "? −10 %");
});

test("latency is written in the unit that fits", () => {
  assert.deepEqual(
    [8.44, 850.4, 12_640, 1_200_000].map((value) => plain(format.latency(value))),
    ["8.4 µs", "850 µs", "12.6 ms", "1.20 s"],
  );
});

test("bytes are written in binary units, throughput in MiB/s as in the study", () => {
  assert.deepEqual(
    [16_384, 1.5 * 2 ** 30, 512].map((value) => plain(format.bytes(value))),
    ["16 KiB", "1.5 GiB", "512 bytes"],
  );
  assert.equal(plain(format.throughput(1_916 * 2 ** 20)), "1,916 MiB/s");
});

test("times are in UTC, durations in minutes and seconds", () => {
  assert.equal(plain(format.dateTime("2026-03-14T09:26:53.589Z")), "14 March 2026, 09:26 UTC");
  assert.equal(plain(format.duration("2026-03-14T09:26:53Z", "2026-03-14T09:35:11Z")), "8 min 18 s");
  assert.equal(plain(format.duration("2026-03-14T09:26:53Z", "2026-03-14T09:27:35Z")), "42 s");
});
