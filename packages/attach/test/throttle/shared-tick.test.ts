import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedTick } from "../../src/throttle/shared-tick.ts";

test("listeners are called together, until they are not wanted any more", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const tick = new SharedTick(1000);
  const called: string[] = [];
  const first = tick.add(() => void called.push("first"));
  t.mock.timers.tick(500);
  const second = tick.add(() => void called.push("second"));
  t.mock.timers.tick(500);
  assert.deepEqual(called, ["first", "second"]);
  first[Symbol.dispose]();
  t.mock.timers.tick(1000);
  assert.deepEqual(called, ["first", "second", "second"]);
  second[Symbol.dispose]();
  t.mock.timers.tick(5000);
  assert.equal(called.length, 3);
  using _ = tick.add(() => void called.push("third"));
  t.mock.timers.tick(1000);
  assert.deepEqual(called.slice(3), ["third"]);
});
