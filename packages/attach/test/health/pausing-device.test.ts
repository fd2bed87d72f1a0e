import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { ImageRequest } from "@siphon/rbd/engine";
import { PausingDevice } from "../../src/health/pausing-device.ts";
import { MemoryDevice } from "../support/memory-device.ts";

function pausing(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const disk = new MemoryDevice({ size: 1 << 20 });
  const events: string[] = [];
  const device = new PausingDevice(disk, {
    paused: (why) => events.push(`paused ${why}`),
    resumed: () => events.push("resumed"),
  });
  return { disk, device, events };
}

/** Lets everything that was begun end. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

for (const [errno, name] of [
  [-28, "ENOSPC"],
  [-122, "EDQUOT"],
  [-110, "ETIMEDOUT"],
] as const) {
  test(`${name} pauses the disk: writes wait, reads go on, and all is carried out in its order when it has passed`, async (t) => {
    const { disk, device, events } = pausing(t);
    disk.failure = errno;
    const first = new Asked(0, 512, 1);
    device.write(first);
    await settled();
    assert.deepEqual(events, [`paused ${name}`]);
    const second = new Asked(0, 512, 2);
    device.write(second);
    const flush = new Asked(0, 0, 0);
    device.flush(flush);
    // Still in the way: tried again and again, by one request.
    for (let tries = 0; tries < 5; tries++) {
      t.mock.timers.tick(1000);
      await settled();
    }
    assert.deepEqual(disk.asked, new Array(6).fill("write"));
    disk.failure = 0;
    const read = new Asked(0, 512, 0);
    device.read(read);
    await settled();
    assert.deepEqual([first.ends, second.ends, flush.ends, read.ends], [0, 0, 0, 1]);
    t.mock.timers.tick(1000);
    await settled();
    assert.deepEqual([first.ends, second.ends, flush.ends], [1, 1, 1]);
    assert.deepEqual([first.result, second.result, flush.result], [0, 0, 0]);
    assert.deepEqual(events, [`paused ${name}`, "resumed"]);
    const again = new Asked(0, 512, 0);
    device.read(again);
    await settled();
    assert.equal(again.seen, 2);
  });
}

test("other errors are told at once, also by the request that is tried for all", async (t) => {
  const { disk, device, events } = pausing(t);
  disk.failure = -5;
  const failed = new Asked(0, 512, 1);
  device.write(failed);
  await settled();
  assert.deepEqual([failed.ends, failed.result], [1, -5]);
  assert.deepEqual(events, []);
  disk.failure = -28;
  const held = new Asked(0, 512, 1);
  device.write(held);
  await settled();
  disk.failure = -108;
  t.mock.timers.tick(1000);
  await settled();
  assert.deepEqual([held.ends, held.result], [1, -108]);
  assert.deepEqual(events, ["paused ENOSPC", "resumed"]);
});

class Asked extends ImageRequest {
  ends = 0;
  seen = 0;
  readonly #value: number;

  constructor(offset: number, length: number, value: number) {
    super();
    this.offset = offset;
    this.length = length;
    this.#value = value;
  }

  fill(into: Buffer, at: number, _position: number, length: number): void {
    into.fill(this.#value, at, at + length);
  }

  take(bytes: Buffer, start: number): void {
    this.seen = bytes[start]!;
  }

  takeZeros(): void {}

  completed(): void {
    this.ends++;
  }
}
