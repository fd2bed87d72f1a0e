import assert from "node:assert/strict";
import { test } from "node:test";
import { SplitRing } from "../../../src/vhost/ring/split-ring.ts";
import { testMemory } from "../../support/test-memory.ts";

const size = 8;
const user = 2 ** 40;
const addresses = { index: 0, log: undefined, descriptors: user, available: user + 1024, used: user + 2048 };

function open(eventIdx: boolean) {
  const memory = testMemory([0, 4096]);
  const ring = new SplitRing(memory, addresses, { size, base: 0, eventIdx });
  const bytes = memory.regions[0]!.windows[0]!;
  const publish = (count: number): boolean => {
    for (let left = count; left > 0; left--) ring.putUsed(0, 1);
    return ring.publish();
  };
  return {
    ring,
    publish,
    setUsedEvent: (index: number) => bytes.writeUInt16LE(index & 0xffff, 1024 + 4 + 2 * size),
    availableEvent: () => bytes.readUInt16LE(2048 + 4 + 8 * size),
    setAvailableFlags: (flags: number) => bytes.writeUInt16LE(flags, 1024),
    usedFlags: () => bytes.readUInt16LE(2048),
  };
}

test("the driver is told when the used index passes the one that it named, over its wrap too", () => {
  const { publish, setUsedEvent } = open(true);
  setUsedEvent(1);
  assert.equal(publish(1), false);
  assert.equal(publish(1), true);
  assert.equal(publish(1), false);
  setUsedEvent(65535);
  assert.equal(publish(65532), false);
  assert.equal(publish(2), true);
  assert.equal(publish(0), false);
});

test("without named indexes the driver is told unless it asked not to be", () => {
  const { publish, setAvailableFlags } = open(false);
  assert.equal(publish(1), true);
  setAvailableFlags(1);
  assert.equal(publish(1), false);
});

test("kicks are asked for at the next entry, or not at all", () => {
  const named = open(true);
  named.ring.nextAvailable = 5;
  named.ring.allowKicks();
  assert.equal(named.availableEvent(), 5);
  named.ring.suppressKicks();
  assert.equal(named.availableEvent(), 4);
  const flagged = open(false);
  flagged.ring.suppressKicks();
  assert.equal(flagged.usedFlags(), 1);
  flagged.ring.allowKicks();
  assert.equal(flagged.usedFlags(), 0);
});

test("a ring that is not wholly in the guest's memory, or crooked, is refused", () => {
  const memory = testMemory([0, 4096]);
  const options = { size, base: 0, eventIdx: false };
  for (const wrong of [
    { descriptors: user + 8 },
    { available: user + 4096 - 16 },
    { used: user + 4096 },
    { descriptors: 0 },
  ]) {
    assert.throws(() => new SplitRing(memory, { ...addresses, ...wrong }, options), {
      code: "SIPHON_ATTACH_PROTOCOL",
    });
  }
});
