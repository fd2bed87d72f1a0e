import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Heartbeat } from "../../src/workers/heartbeat.ts";

function beating(t: TestContext, answers: () => boolean) {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const seen = { asked: 0, hung: 0 };
  const heart: Heartbeat = new Heartbeat({
    seconds: 10,
    ask: () => {
      seen.asked++;
      if (answers()) heart.answered();
    },
    hung: () => seen.hung++,
  });
  return { seen, heart };
}

test("a process that answers is left alone", (t) => {
  const { seen, heart } = beating(t, () => true);
  t.mock.timers.tick(600_000);
  assert.deepEqual(seen, { asked: 300, hung: 0 });
  heart[Symbol.dispose]();
});

test("a process that stops answering hangs, and that is told once", (t) => {
  let answers = true;
  const { seen } = beating(t, () => answers);
  t.mock.timers.tick(20_000);
  answers = false;
  t.mock.timers.tick(10_000);
  assert.equal(seen.hung, 0);
  t.mock.timers.tick(100_000);
  assert.equal(seen.hung, 1);
});

test("a process that is late and answers then does not hang", (t) => {
  let asked = 0;
  const { seen, heart } = beating(t, () => ++asked % 4 === 0);
  t.mock.timers.tick(600_000);
  assert.equal(seen.hung, 0);
  heart[Symbol.dispose]();
});
