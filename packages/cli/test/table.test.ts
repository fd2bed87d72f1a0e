import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { exampleResults } from "../../lab/test/fixtures/results.ts";
import { ladderTable } from "../src/table.ts";

const results = exampleResults();
const table = (columns: number, color = false) => ladderTable(results, { columns, color });
const line = (text: string, start: string) => text.split("\n").find((each) => each.startsWith(start));

test("if there is room, a rung's line has all its figures", () => {
  assert.match(
    line(table(Number.POSITIVE_INFINITY), "+ cache=none")!,
    /^\+ cache=none +10,474 +9,270–11,168 +▲ \+6 % +12\.2 ms +31\.2 ms +[▲▼≈] −\d+ % +128 µs +▲ −\d+ % +5\.6× +53,500 +22×$/u,
  );
});

for (const columns of [140, 110, 80, 60, 40]) {
  test(`in ${columns} columns no line is too long, and every rung keeps its IOPS and change`, () => {
    const text = table(columns);
    for (const each of text.split("\n")) assert.ok(each.length <= columns, each);
    for (const { title, status } of results.rungs) {
      const found = line(text, title.slice(0, 15));
      assert.match(found ?? "", status === "measured" ? /\d{1,2},\d{3}/ : new RegExp(status), title);
    }
    assert.match(line(text, "+ virtio-blk")!, /▲/);
  });
}

test("the text below the table says why a rung is missing", () => {
  assert.match(table(200), /^\+ newer librbd skipped: no other librbd build was named \(--librbd DIR\)$/m);
  assert.match(table(200), /^jemalloc in its place failed: the guest panicked/m);
});

test("only terminals with colours get colours, and colours change no character", () => {
  assert.equal(table(100), stripVTControlCharacters(table(100, true)));
  assert.notEqual(table(100), table(100, true));
});

test("an emulated guest is mentioned, a real one is not", () => {
  assert.match(table(200), /TCG/);
  assert.doesNotMatch(
    ladderTable(exampleResults({ accelerator: "kvm" }), { columns: 200, color: false }),
    /TCG/,
  );
});

test("text from outside cannot steer the terminal", () => {
  const [first, ...rest] = results.rungs;
  const evil = {
    ...first!,
    title: "\u001b[2Jgone\u0007",
    status: "failed" as const,
    reason: "\u001b]0;owned\u0007",
  };
  const text = ladderTable({ ...results, rungs: [evil, ...rest] }, { columns: 200, color: false });
  assert.doesNotMatch(text.replaceAll("\n", ""), /\p{Cc}/u);
});

test("points of response curves have their own table, which fits in 80 columns", () => {
  const text = ladderTable(exampleResults({ curves: true }), { columns: 80, color: false });
  assert.match(line(text, "default (IDE), 70/30")!, / +knee 1 +1,\d\d\d /);
  for (const each of text.split("\n")) assert.ok(each.length <= 80, each);
});
