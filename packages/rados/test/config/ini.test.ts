import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIni } from "../../src/config/ini.ts";
import { RadosError } from "../../src/errors.ts";

const parse = (text: string) =>
  Object.fromEntries([...parseIni(text, "test.conf")].map(([name, s]) => [name, Object.fromEntries(s)]));

test("settings belong to the section above them; a section may come in parts", () => {
  assert.deepEqual(parse("[global]\na = 1\n[client]\na=2\n[global]\nb = 3\n"), {
    global: { a: "1", b: "3" },
    client: { a: "2" },
  });
});

test("spaces, underscores and dashes in a name are all one, and the last value counts", () => {
  assert.deepEqual(parse("[global]\nmon host = a\nmon_host = b\nmon-host = c\n  mon   host  = d"), {
    global: { mon_host: "d" },
  });
});

test("comments start with ; or #, on a line of their own or at the end of one", () => {
  assert.deepEqual(parse("; c\n# d\n[global] ; e\na = 1 ; f\nb = 2 # g\nc = 3#h\n"), {
    global: { a: "1", b: "2", c: "3" },
  });
});

test("a backslash takes the next character as it is and joins lines", () => {
  assert.deepEqual(parse("[global]\na = x \\; y \\# z \\\\\nb = first \\\n second\nc = 1"), {
    global: { a: "x ; y # z \\", b: "first  second", c: "1" },
  });
});

test("quotes of either kind around a value are dropped, inside they stay", () => {
  assert.deepEqual(parse(`[global]\na = "x y" ; c\nb = 'it "is"'\nc = a"b"c\nd = "q \\" q"`), {
    global: { a: "x y", b: 'it "is"', c: 'a"b"c', d: 'q " q' },
  });
});

test("lines may end in the way of Windows, and a value may be empty", () => {
  assert.deepEqual(parse("[global]\r\na = 1\r\nb =\r\nc = 2"), { global: { a: "1", b: "", c: "2" } });
});

test("what cannot be read is refused with its line, and without its contents", () => {
  for (const [text, line] of [
    ["a = 1", 1],
    ["[global]\nsecretsecret", 2],
    ["[global", 1],
    ['[global]\na = 1\nkey = "secretsecret', 3],
    ['[global]\na = "1" secretsecret', 2],
    ["[global]\n = secretsecret", 2],
  ] as const) {
    assert.throws(
      () => parse(text),
      (error) =>
        error instanceof RadosError &&
        error.message.includes(`test.conf: line ${line}:`) &&
        !error.message.includes("secret"),
    );
  }
});
