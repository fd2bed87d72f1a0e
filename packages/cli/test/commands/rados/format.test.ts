import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesText, columns, json, sixDigits } from "../../../src/commands/rados/format.ts";

test("bytes have as many digits as fit in seven characters", () => {
  const texts = [0, 1023, 1024, 1536, 20 * 1024, 34_567_890, 7_361_421_312, 999 * 2 ** 30 + 1].map(bytesText);
  assert.deepEqual(texts, ["0 B", "1023 B", "1 KiB", "1.5 KiB", "20 KiB", "33 MiB", "6.9 GiB", "999 GiB"]);
});

test("numbers have six significant digits", () => {
  assert.deepEqual([0, 1, 103.4375, 0.00239432, 1812.123456].map(sixDigits), [
    "0",
    "1",
    "103.438",
    "0.00239432",
    "1812.12",
  ]);
});

test("the first column is aligned left, the others right", () => {
  assert.equal(
    columns([
      ["NAME", "USED"],
      ["a", 100_000],
    ]),
    "NAME    USED\na     100000\n",
  );
});

test("JSON is on one line, or is indented and ends with a newline", () => {
  assert.equal(json([{ a: 1 }], "json"), '[{"a":1}]');
  assert.equal(json([{ a: 1 }], "json-pretty"), '[\n    {\n        "a": 1\n    }\n]\n');
});
