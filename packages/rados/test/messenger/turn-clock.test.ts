import assert from "node:assert/strict";
import { test } from "node:test";
import { TurnClock } from "../../src/messenger/turn-clock.ts";

test("the time stands still until the turn is over", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: 1_000 });
  const clock = new TurnClock(() => {});
  assert.equal(clock.date, 1_000);
  const { now } = clock;
  t.mock.timers.tick(5);
  assert.equal(clock.date, 1_000);
  assert.equal(clock.now, now);
  clock.turnOver();
  assert.equal(clock.date, 1_005);
  assert.ok(clock.now > now);
});

test("who made the clock is told that a time was read, so that it does not grow old", () => {
  let wanted = 0;
  const clock = new TurnClock(() => wanted++);
  void clock.now;
  void clock.now;
  void clock.date;
  assert.equal(wanted, 2);
  clock.turnOver();
  void clock.now;
  assert.equal(wanted, 3);
});
