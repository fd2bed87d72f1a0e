import assert from "node:assert/strict";
import { test } from "node:test";
import { qemuPatience } from "../../src/vm/qemu-patience.ts";

/** How long QEMU is waited for, in seconds, and why no longer, if it gets this part of a processor. */
function waitWith(share: (second: number) => number): [number, string | undefined] {
  let [now, cpu] = [0, 0];
  const patience = qemuPatience(
    1,
    () => cpu,
    () => now * 1000,
  );
  for (let over: string | undefined; ; ) {
    over = patience.isOver;
    if (over !== undefined || now >= 1000) return [now, over];
    now++;
    cpu += share(now);
  }
}

test("a QEMU that gets a fiftieth of a processor is waited for five minutes", () => {
  assert.deepEqual(
    waitWith(() => 0.02),
    [301, "after 300 s"],
  );
});

test("a QEMU that does nothing, or only what an idle guest does, is given up", () => {
  assert.deepEqual(
    waitWith(() => 0),
    [121, "after 120 s without progress"],
  );
  const [seconds, why] = waitWith((second) => (second < 20 ? 1 : 0.005));
  assert.equal(why, "after 120 s without progress");
  assert.ok(seconds < 250, `${seconds}`);
});

test("a guest that loops is given up once it used more CPU time than a boot needs", () => {
  const [seconds, why] = waitWith(() => 2);
  assert.equal(why, "after 120 s without progress");
  assert.ok(seconds > 120 && seconds < 180, `${seconds}`);
});

test("a QEMU that has ended makes no progress", () => {
  let now = 0;
  const patience = qemuPatience(
    1,
    () => undefined,
    () => now,
  );
  now = 120_001;
  assert.equal(patience.isOver, "after 120 s without progress");
});
