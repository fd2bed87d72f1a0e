import assert from "node:assert/strict";
import { closeSync } from "node:fs";
import { test } from "node:test";
import { MemoryRegion, windowBytes } from "../../../src/vhost/memory/region.ts";
import { Scatter } from "../../../src/vhost/memory/scatter.ts";
import { createSharedMemory } from "../../../src/vhost/native/mapping.ts";
import { testMemory } from "../../support/test-memory.ts";

function locate(memory: ReturnType<typeof testMemory>, address: number, length: number): number | undefined {
  const scatter = new Scatter();
  return memory.locate(address, length, scatter) ? scatter.length : undefined;
}

test("every address is found in its region, and none outside of all", () => {
  const memory = testMemory([0x10_0000, 8192], [0, 4096], [0x20_0000, 4096]);
  assert.equal(locate(memory, 0, 4096), 4096);
  assert.equal(locate(memory, 4095, 1), 1);
  assert.equal(locate(memory, 4095, 2), undefined);
  assert.equal(locate(memory, 4096, 1), undefined);
  assert.equal(locate(memory, 0x10_0000 - 1, 1), undefined);
  assert.equal(locate(memory, 0x10_0000, 8192), 8192);
  assert.equal(locate(memory, 0x10_0000, 8193), undefined);
  assert.equal(locate(memory, 0x20_0000 + 4095, 1), 1);
  assert.equal(locate(memory, 2 ** 52, 1), undefined);
  memory.release();
});

test("bytes may reach across regions that touch each other", () => {
  const memory = testMemory([4096, 4096], [0, 4096]);
  const scatter = new Scatter();
  assert.ok(memory.locate(4000, 200, scatter));
  scatter.write(0, Buffer.alloc(200, 9), 0, 200);
  const back = Buffer.alloc(200);
  scatter.read(0, back, 0, 200);
  assert.ok(back.every((byte) => byte === 9));
  assert.equal(memory.regions[1]!.windows[0]![4095], 9);
  assert.equal(memory.regions[0]!.windows[0]![103], 9);
  assert.equal(memory.regions[0]!.windows[0]![104], 0);
  memory.release();
});

test("regions of more than a window's size are seen whole", () => {
  const base = 2 ** 32;
  const memory = testMemory([base, 5 * windowBytes]);
  const scatter = new Scatter();
  assert.ok(memory.locate(base + 4 * windowBytes - 8, 16, scatter));
  scatter.write(0, Buffer.from("0123456789abcdef"), 0, 16);
  const view = memory.viewUser(base + 2 ** 40 + 4 * windowBytes - 8, 16)!;
  assert.equal(Buffer.from(view).toString(), "0123456789abcdef");
  assert.equal(locate(memory, base + 5 * windowBytes - 1, 2), undefined);
  memory.release();
});

test("regions that overlap, and more memory than the descriptor has, are refused", () => {
  assert.throws(() => testMemory([0, 8192], [4096, 8192]), { code: "SIPHON_ATTACH_PROTOCOL" });
  const fd = createSharedMemory("short", 4096);
  const description = { guestAddress: 0, size: 8192, userAddress: 0, mmapOffset: 0 };
  assert.throws(() => new MemoryRegion(fd, description), { message: /4096 bytes cannot hold 8192/ });
  assert.throws(() => new MemoryRegion(fd, { ...description, size: 4096, mmapOffset: 4096 }), {
    code: "SIPHON_ATTACH_PROTOCOL",
  });
  closeSync(fd);
});

test("memory stays mapped until the last user has let go, and then its bytes are gone", () => {
  const memory = testMemory([0, 4096]);
  const window = memory.regions[0]!.windows[0]!;
  memory.hold();
  memory.release();
  assert.equal(window[0], 0);
  memory.release();
  assert.equal(window.length, 0);
  assert.throws(() => memory.viewUser(2 ** 40, 16), RangeError);
});
