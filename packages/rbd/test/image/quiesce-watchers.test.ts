import assert from "node:assert/strict";
import { test } from "node:test";
import { errno } from "@siphon/wire";
import { RbdError } from "../../src/errors.ts";
import { QuiesceWatchers } from "../../src/image/quiesce-watchers.ts";

/** Watchers that record what they are told. */
function recorded(...names: string[]) {
  const watchers = new QuiesceWatchers();
  const told: string[] = [];
  const added = names.map((name) =>
    watchers.add({
      quiesce: async () => {
        told.push(`${name} quiesces`);
        if (name.startsWith("bad")) throw new RbdError("SIPHON_RBD_BUSY", "not now");
      },
      unquiesce: () => void told.push(`${name} goes on`),
    }),
  );
  return { watchers, told, added };
}

test("a watcher is told once before a snapshot, however often it is asked for, and once after it", async () => {
  const { watchers, told } = recorded("a");
  assert.deepEqual(await Promise.all([watchers.quiesce("1"), watchers.quiesce("1")]), [0, 0]);
  await Promise.all([watchers.unquiesce("1"), watchers.unquiesce("1")]);
  assert.deepEqual(told, ["a quiesces", "a goes on"]);
});

test("it stays quiet while any of two who want it does, also if the second comes while the first goes", async () => {
  const { watchers, told } = recorded("a");
  await watchers.quiesce("1");
  const gone = watchers.unquiesce("1");
  await Promise.all([gone, watchers.quiesce("2")]);
  assert.deepEqual(told, ["a quiesces"]);
  await watchers.unquiesce("2");
  assert.deepEqual(told, ["a quiesces", "a goes on"]);
});

test("if one watcher cannot quiesce, that is the answer, and the others go on", async () => {
  const { watchers, told, added } = recorded("a", "bad");
  assert.equal(await watchers.quiesce("1"), -errno.EBUSY);
  assert.deepEqual(told, ["a quiesces", "bad quiesces", "a goes on"]);
  added[1]![Symbol.dispose]();
  assert.equal(await watchers.quiesce("1"), 0);
});

test("if two want quiet at once and a watcher cannot, each of them is told so, and the others go on", async () => {
  const { watchers, told } = recorded("a", "bad");
  const busy = -errno.EBUSY;
  assert.deepEqual(await Promise.all([watchers.quiesce("1"), watchers.quiesce("2")]), [busy, busy]);
  const once = ["a quiesces", "bad quiesces", "a goes on"];
  assert.deepEqual(told, [...once, ...once]);
});

test("who is not heard of any more, and a closed image, keep nobody quiet", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { watchers, told } = recorded("a");
  await watchers.quiesce("1");
  t.mock.timers.tick(10_000);
  await watchers.quiesce("2");
  await watchers.close();
  assert.deepEqual(told, ["a quiesces", "a goes on"]);
});

for (const [how, leave] of [
  [
    "the image is closed",
    async (watchers: QuiesceWatchers, tick: () => void) => {
      const closed = watchers.close();
      tick();
      await closed;
    },
  ],
  ["it leaves", async (_: QuiesceWatchers, _tick: () => void, added: Disposable) => added[Symbol.dispose]()],
] as const) {
  test(`a watcher that never answers is waited for until ${how}, and goes on if it answers later`, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { watchers, told } = recorded("a");
    const answer = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const goneOn = Promise.withResolvers<void>();
    const slow = watchers.add({
      quiesce: () => {
        begun.resolve();
        return answer.promise;
      },
      unquiesce: () => goneOn.resolve(),
    });
    const asked = watchers.quiesce("1");
    await begun.promise;
    await leave(watchers, () => t.mock.timers.tick(10_000), slow);
    assert.equal(await asked, 0);
    await watchers.unquiesce("1");
    assert.deepEqual(told, ["a quiesces", "a goes on"]);
    answer.resolve();
    await goneOn.promise;
  });
}

test("without watchers the answer is yes", async () => {
  const { watchers } = recorded();
  assert.equal(await watchers.quiesce("1"), 0);
  await watchers.unquiesce("1");
});
