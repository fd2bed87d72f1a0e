import assert from "node:assert/strict";
import { test } from "node:test";
import { parseBytes } from "@siphon/wire";

test("sizes are numbers of bytes, or have a unit of powers of 1,024", () => {
  const sizes = {
    "65536": 65536,
    "64K": 65536,
    "64k": 65536,
    "64Ki": 65536,
    "64KiB": 65536,
    "64 KB": 65536,
    " 4M": 4 << 20,
  };
  for (const [text, bytes] of Object.entries(sizes)) assert.equal(parseBytes(text), bytes, text);
  assert.equal(parseBytes("2T"), 2 * 2 ** 40);
  assert.equal(parseBytes("0"), 0);
});

test("other text is no size", () => {
  for (const text of ["", "K", "-1", "1.5G", "4X", "1e3", "4M4"])
    assert.equal(parseBytes(text), undefined, text);
});
