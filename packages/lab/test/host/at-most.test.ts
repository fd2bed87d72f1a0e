import assert from "node:assert/strict";
import { test } from "node:test";
import { atMost } from "../../src/host/at-most.ts";

test("never more than the limit at once, each item once, in order", async () => {
  const begun: number[] = [];
  let [now, most] = [0, 0];
  await atMost(2, [1, 2, 3, 4, 5], async (item) => {
    begun.push(item);
    most = Math.max(most, ++now);
    await new Promise((resolve) => setImmediate(resolve));
    now--;
  });
  assert.deepEqual(begun, [1, 2, 3, 4, 5]);
  assert.equal(most, 2);
});

test("a failure is thrown once started work has ended, and nothing more is started", async () => {
  const ended: number[] = [];
  const slow = Promise.withResolvers<void>();
  const all = atMost(2, [1, 2, 3], async (item) => {
    if (item === 1) throw new Error("one fails");
    await slow.promise;
    ended.push(item);
  });
  slow.resolve();
  await assert.rejects(all, /one fails/);
  assert.deepEqual(ended, [2]);
});
