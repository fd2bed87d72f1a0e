import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Together } from "../../src/host/together.ts";

test("all results come in the order of the work", async () => {
  const together = new Together();
  assert.deepEqual(await together.all([sleep(5, "a"), "b", Promise.resolve(3)] as const), ["a", "b", 3]);
});

test("the first failure aborts the rest, and is thrown when nothing goes on any more", async () => {
  const together = new Together();
  const first = new Error("first");
  const ended: string[] = [];
  const untilAborted = async () => {
    await sleep(60_000, undefined, { signal: together.signal }).catch(() => {});
    await sleep(5);
    ended.push("cleaned up");
    throw new Error("second");
  };
  await assert.rejects(together.all([untilAborted(), Promise.reject(first)]), (error) => error === first);
  assert.deepEqual(ended, ["cleaned up"]);
  assert.equal(together.signal.reason, first);
});

test("the caller's abort is thrown as it came", async () => {
  const controller = new AbortController();
  const together = new Together(controller.signal);
  const reason = new Error("enough");
  const work = sleep(60_000, undefined, { signal: together.signal });
  controller.abort(reason);
  await assert.rejects(together.all([work]), (error) => error === reason);
});
