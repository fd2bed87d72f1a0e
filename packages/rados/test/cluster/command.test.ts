import assert from "node:assert/strict";
import { test } from "node:test";
import { parseOutput } from "../../src/cluster/command.ts";

const command = { prefix: "osd blocklist ls" };

function parsed(text: string): unknown {
  return parseOutput(command, { result: 0, status: "", output: Buffer.from(text) });
}

test("the output of a command is its JSON value, and nothing where it prints nothing", () => {
  assert.equal(parsed("\n"), undefined);
  assert.deepEqual(parsed('\n{"a": ["}", "[\\"["]}\n'), { a: ["}", '["['] });
  assert.deepEqual(parsed('[[1], {"b": [2]}]'), [[1], { b: [2] }]);
  assert.equal(parsed("17"), 17);
});

test("lists that follow one another are one list, whatever is in their strings", () => {
  assert.deepEqual(parsed("[][]"), []);
  assert.deepEqual(parsed('[{"addr": "[::1]:0/1", "until": "x"}]\n[{"range": "][\\"]["}]'), [
    { addr: "[::1]:0/1", until: "x" },
    { range: ']["][' },
  ]);
});

test("invalid or truncated JSON, or several values that are not lists, is an error that names the command", () => {
  for (const text of ["[]listed 0 entries", "[1, 2", "{}[]", "[]{}", "{}{}", "ok", "[]]["]) {
    assert.throws(() => parsed(text), {
      code: "SIPHON_RADOS_PROTOCOL",
      message: "the output of `osd blocklist ls` is not JSON",
    });
  }
});
