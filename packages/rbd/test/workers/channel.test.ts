import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { MessageChannel } from "node:worker_threads";
import { gatherUnowned } from "../../../rados/test/support/unowned.ts";
import { Channel } from "../../src/workers/channel.ts";

/** Two ends in one thread; the other one handles messages in this way. */
function open(t: TestContext, handle: (message: unknown) => unknown): Channel<unknown, unknown> {
  const { port1, port2 } = new MessageChannel();
  t.after(() => port1.close());
  new Channel(port2, handle);
  return new Channel(port1, () => undefined);
}

const uncloneable = { fails: () => {} };

test("a message whose handler throws does not keep what came with it from being handled", async (t) => {
  const channel = open(t, (message) => {
    if (message === "throws") throw new Error("a listener's own");
    return message;
  });
  const unowned = await gatherUnowned(async () => {
    channel.tell("throws");
    assert.equal(await channel.call("question"), "question");
  });
  assert.match(String(unowned), /a listener's own/);
});

test("what cannot be cloned fails by itself, and takes nothing along that is sent with it", async (t) => {
  const channel = open(t, (message) => (message === "bad answer" ? uncloneable : message));
  const unowned = await gatherUnowned(async () => {
    channel.tell(uncloneable);
    const calls = [uncloneable, "question", "bad answer"].map((message) => channel.call(message));
    const [bad, good, badAnswer] = await Promise.allSettled(calls);
    assert.match(String(bad!.status === "rejected" && bad.reason), /DataCloneError/);
    assert.deepEqual(good, { status: "fulfilled", value: "question" });
    assert.match(String(badAnswer!.status === "rejected" && badAnswer.reason), /could not be cloned/);
  });
  assert.match(String(unowned), /DataCloneError/);
});
