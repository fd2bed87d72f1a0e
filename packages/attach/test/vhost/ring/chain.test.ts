import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Chain } from "../../../src/vhost/ring/chain.ts";
import { SplitRing } from "../../../src/vhost/ring/split-ring.ts";
import { descriptorFlag } from "../../support/driver-ring.ts";
import { testMemory } from "../../support/test-memory.ts";

const size = 8;
const user = 2 ** 40;
const { next: more, write, indirect } = descriptorFlag;

describe("a chain of descriptors", () => {
  let memory: ReturnType<typeof testMemory>;
  let ring: SplitRing;
  const chain = new Chain();
  const walk = (head: number, indirectAllowed = true) => chain.walk(ring, indirectAllowed, memory, head);

  beforeEach(() => {
    memory = testMemory([0, 65536]);
    const addresses = {
      index: 0,
      log: undefined,
      descriptors: user,
      available: user + 1024,
      used: user + 2048,
    };
    ring = new SplitRing(memory, addresses, { size, base: 0, eventIdx: false });
  });

  function set(
    index: number,
    address: number | bigint,
    length: number,
    flags: number,
    next = 0,
    table = 0,
  ): void {
    const bytes = memory.regions[0]!.windows[0]!;
    bytes.writeBigUInt64LE(BigInt(address), table + 16 * index);
    bytes.writeUInt32LE(length, table + 16 * index + 8);
    bytes.writeUInt16LE(flags, table + 16 * index + 12);
    bytes.writeUInt16LE(next, table + 16 * index + 14);
  }

  test("is read, then written", () => {
    set(3, 8192, 16, more, 0);
    set(0, 12288, 100, more | write, 7);
    set(7, 16384, 1, write);
    assert.equal(walk(3), undefined);
    assert.deepEqual([chain.readable.length, chain.writable.length], [16, 101]);
  });

  test("may be in a table of its own", () => {
    set(0, 32768, 48, indirect);
    set(0, 8192, 16, more, 2, 32768);
    set(2, 16384, 512, more | write, 1, 32768);
    set(1, 16383, 1, write, 0, 32768);
    assert.equal(walk(0), undefined);
    assert.deepEqual([chain.readable.length, chain.writable.length], [16, 513]);
    assert.equal(walk(0, false), "an invalid indirect table");
  });

  test("ends, even if it is a loop", () => {
    set(0, 8192, 16, more, 1);
    set(1, 8192, 16, more, 0);
    assert.equal(walk(0), "an endless chain");
    set(2, 32768, 16, indirect);
    set(0, 8192, 16, more, 0, 32768);
    assert.equal(walk(2), "an endless chain");
  });

  test("stays in its table and in the guest's memory", () => {
    set(0, 8192, 16, more, size);
    assert.equal(walk(0), "a descriptor outside its table");
    const outside = "an address outside the guest's memory";
    for (const address of [65536, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
      set(0, address, 1, 0);
      assert.equal(walk(0), outside);
    }
    set(0, 65535, 2, 0);
    assert.equal(walk(0), outside);
    set(0, 65536 - 16, 32, indirect);
    assert.equal(walk(0), outside);
  });

  test("has no table within a table, no table of odd length, and writes last", () => {
    const none = "an invalid indirect table";
    set(0, 32768, 16, indirect);
    set(0, 32768, 16, indirect, 0, 32768);
    assert.equal(walk(0), none);
    for (const length of [0, 15, 17, 16 * 1025]) {
      set(0, 32768, length, indirect);
      assert.equal(walk(0), none);
    }
    set(0, 32768, 16, indirect | more);
    assert.equal(walk(0), none);
    set(0, 8192, 1, more | write, 1);
    set(1, 8192, 1, 0);
    assert.equal(walk(0), "bytes to read after bytes to write");
  });
});
