import assert from "node:assert/strict";
import { test } from "node:test";
import { hexdump } from "../../../src/commands/rados/hexdump.ts";

test("rows have sixteen bytes, unprintable bytes are dots, the length comes last", () => {
  assert.equal(
    hexdump(Buffer.from("0123456789abcdefgh\n\x7f")),
    "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n" +
      "00000010  67 68 0a 7f                                       |gh..|\n" +
      "00000014\n",
  );
});

test("repeated rows of one value are shown once", () => {
  assert.equal(
    hexdump(Buffer.alloc(70, "a")),
    `00000000  ${"61 ".repeat(8)} ${"61 ".repeat(8)} |${"a".repeat(16)}|\n*\n` +
      "00000040  61 61 61 61 61 61                                 |aaaaaa|\n00000046\n",
  );
});

test("an empty input prints nothing", () => {
  assert.equal(hexdump(Buffer.alloc(0)), "");
});
