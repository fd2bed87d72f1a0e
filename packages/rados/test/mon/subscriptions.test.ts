import assert from "node:assert/strict";
import { hostname } from "node:os";
import { test } from "node:test";
import { Reader } from "@siphon/wire";
import { Subscriptions } from "../../src/mon/subscriptions.ts";

/** The request of a message: name, first version, whether only once. */
function wanted(subscriptions: Subscriptions): [string, number, boolean][] {
  const r = new Reader(subscriptions.message().front);
  const list = r.list(13, () => [r.string(), r.u64Number(), r.bool()] as [string, number, boolean]);
  assert.equal(r.string(), hostname());
  return list;
}

test("later sessions ask for what follows the version that we have", () => {
  const subscriptions = new Subscriptions();
  subscriptions.add("osdmap", 0, false);
  subscriptions.received("osdmap", 7);
  subscriptions.received("nothing of ours", 9);
  assert.deepEqual(wanted(subscriptions), [
    ["monmap", 0, false],
    ["osdmap", 8, false],
  ]);
});

test("a one-time subscription ends once the map has arrived", () => {
  const subscriptions = new Subscriptions();
  subscriptions.add("mgrmap", 3, true);
  assert.deepEqual(wanted(subscriptions).at(-1), ["mgrmap", 3, true]);
  subscriptions.received("mgrmap", 4);
  assert.deepEqual(wanted(subscriptions), [["monmap", 0, false]]);
});

test("subscriptions made in one turn are sent in one message, later ones in another", async () => {
  const subscriptions = new Subscriptions();
  const sent: number[] = [];
  const ask = (what: string) => {
    subscriptions.add(what, 0, false);
    subscriptions.sendSoon(({ front }) => sent.push(new Reader(front).u32()));
  };
  ask("osdmap");
  ask("config");
  await Promise.resolve();
  ask("mgrmap");
  await Promise.resolve();
  assert.deepEqual(sent, [3, 4]);
});
