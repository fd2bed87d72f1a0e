import assert from "node:assert/strict";
import { test } from "node:test";
import { Patience } from "../../src/host/patience.ts";

let now = 0;
let progress = 0;
const begin = () =>
  new Patience({ progress: () => progress, quietMs: 1_000, atMostMs: 60_000, now: () => now });

/** Asks as often as a caller would. */
function wait(patience: Patience, milliseconds: number, works: boolean): string | undefined {
  for (const end = now + milliseconds; now < end; ) {
    now += 100;
    if (works) progress++;
    const over = patience.isOver;
    if (over) return over;
  }
  return undefined;
}

test("what makes progress is waited for, however slow it is", () => {
  assert.equal(wait(begin(), 50_000, true), undefined);
});

test("what makes no progress is given up, counted from the last progress", () => {
  const patience = begin();
  assert.equal(wait(patience, 900, false), undefined);
  assert.equal(wait(patience, 200, true), undefined);
  assert.equal(wait(patience, 900, false), undefined);
  assert.equal(wait(patience, 200, false), "after 1 s without progress");
});

test("what makes progress for ever is given up as well", () => {
  assert.equal(wait(begin(), 100_000, true), "after 60 s");
});
