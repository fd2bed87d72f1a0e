import assert from "node:assert/strict";
import { test } from "node:test";
import { cut, LABEL_LINE, rowLayout, wrap } from "../../../src/report/charts/rows.ts";
import { logTicks } from "../../../src/report/charts/scales.ts";

test("labels stand left of the marks on a page, above them on a telephone", () => {
  const [wide] = rowLayout(["one"], "wide", { right: 100 }).rows;
  assert.ok(wide!.labelX < 0 && wide!.labelY === wide!.y);
  const [narrow] = rowLayout(["one"], "narrow", { right: 4 }).rows;
  assert.ok(narrow!.labelX === 0 && narrow!.labelY < narrow!.y);
});

test("rows follow each other evenly and stay within the plot", () => {
  const { rows, plotHeight } = rowLayout(["one", "two", "three"], "wide", { right: 0 });
  assert.equal(rows[2]!.y - rows[1]!.y, rows[1]!.y - rows[0]!.y);
  assert.ok(rows[0]!.y > 0 && rows[2]!.y < plotHeight);
});

test("a long label takes more lines, which its row has room for; only a long word is cut", () => {
  assert.deepEqual(wrap("newer librbd, iothread, aio=native", 25), ["newer librbd, iothread,", "aio=native"]);
  assert.deepEqual(wrap("one two three four", 7), ["one two", "three", "four"]);
  assert.deepEqual(wrap(`${"a".repeat(30)} b`, 10), [`${"a".repeat(9)}…`, "b"]);
  const [short, long, next] = rowLayout(["a", "two words ".repeat(10).trim(), "b"], "wide", {
    right: 0,
  }).rows;
  const half = (LABEL_LINE * (long!.label.length - 1)) / 2;
  assert.ok(long!.label.length > 3 && long!.y - half > short!.y && long!.y + half < next!.y);
  assert.deepEqual(wrap("a".repeat(30), 10), [`${"a".repeat(9)}…`]);
  assert.equal(cut("one two three", 8), "one two…");
});

test("logarithmic scales are marked at 1, 2 and 5", () => {
  assert.deepEqual(logTicks([0.9, 60]), [1, 2, 5, 10, 20, 50]);
  assert.deepEqual(logTicks([0.04, 0.3]), [0.05, 0.1, 0.2]);
});
