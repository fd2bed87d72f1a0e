import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { keyValues, rbdEscape, shellQuote } from "../../src/vm/escape.ts";

test("commas in values of QEMU options are doubled, keys without a value left out", () => {
  assert.equal(keyValues("file", { path: "/a,b", size: 1, off: undefined }), "file,path=/a,,b,size=1");
  assert.equal(keyValues("", { driver: "rbd" }), "driver=rbd");
});

test("what ends a part of an rbd: name is escaped", () => {
  assert.equal(rbdEscape("/a:b@c=d\\e"), "/a\\:b\\@c\\=d\\\\e");
  assert.equal(rbdEscape("plain-1.2_x"), "plain-1.2_x");
});

test("words survive a shell, whatever is in them", () => {
  const words = ["plain", "", "it's", "a b", "$HOME", '{"json":"x"}', "`x`", "a\nb", "*"];
  const line = `printf '%s\\0' ${words.map(shellQuote).join(" ")}`;
  assert.deepEqual(execFileSync("sh", ["-c", line]).toString().split("\0").slice(0, -1), words);
});
