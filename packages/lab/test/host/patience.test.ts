import assert from "node:assert/strict";
import { test } from "node:test";
import { Patience, PatientSignal } from "../../src/host/patience.ts";

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

test("a signal ends work that does not poll, and nothing once it is disposed of", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const ticks = (milliseconds: number, works: boolean) => {
    for (const end = now + milliseconds; now < end; ) {
      now += 100;
      if (works) progress++;
      t.mock.timers.tick(100);
    }
  };
  using patient = new PatientSignal(begin(), "nobody came");
  ticks(5_000, true);
  assert.ok(!patient.signal.aborted);
  ticks(3_000, false);
  const reason = { code: "SIPHON_TIMEOUT", message: "nobody came after 1 s without progress" };
  assert.throws(() => patient.signal.throwIfAborted(), reason);
  assert.equal(patient.over, "after 1 s without progress");
  const disposed = new PatientSignal(begin(), "nobody came");
  disposed[Symbol.dispose]();
  ticks(9_000, false);
  assert.ok(!disposed.signal.aborted);
});
