import assert from "node:assert/strict";
import { test } from "node:test";
import { Coalescing } from "../../src/messenger/coalescing.ts";

/** The wait after so many wake-ups of this kind. */
function after(
  coalescing: Coalescing,
  wakeUps: number,
  inFlight: number,
  frames: number,
  drained = true,
): number {
  let wait = 0;
  for (let i = 0; i < wakeUps; i++) wait = coalescing.next(inFlight, frames, drained);
  return wait;
}

test("few in flight: never a wait", () => {
  assert.equal(after(new Coalescing(), 100, 1, 1), 0);
  assert.equal(after(new Coalescing(), 100, 15, 1), 0);
});

test("many in flight and one reply a wake-up: it waits longer and longer, up to the limit", () => {
  const coalescing = new Coalescing({ longest: 0.3 });
  const waits = Array.from({ length: 10 }, () => coalescing.next(128, 1, true));
  assert.deepEqual(
    waits,
    [...waits].sort((a, b) => a - b),
  );
  assert.ok(waits[0]! > 0);
  assert.equal(waits.at(-1), 0.3);
});

test("replies in large groups: no wait, and one that was grown shrinks again", () => {
  assert.equal(after(new Coalescing(), 100, 128, 100), 0);
  const coalescing = new Coalescing();
  assert.ok(after(coalescing, 10, 128, 1) > 0);
  assert.equal(after(coalescing, 10, 128, 100), 0);
});

test("groups of a middling size: the wait stays as it is", () => {
  const coalescing = new Coalescing();
  const grown = after(coalescing, 3, 128, 1);
  assert.equal(after(coalescing, 50, 128, 32), grown);
});

test("a read that filled the buffer is followed by the next at once", () => {
  const coalescing = new Coalescing();
  assert.ok(after(coalescing, 5, 128, 1) > 0);
  assert.equal(coalescing.next(128, 1, false), 0);
});

test("when the operations run out, so does the wait; and it can be turned off", () => {
  const coalescing = new Coalescing();
  assert.ok(after(coalescing, 5, 128, 1) > 0);
  assert.equal(coalescing.next(3, 1, true), 0);
  assert.equal(after(new Coalescing({ enabled: false }), 50, 128, 1), 0);
});
